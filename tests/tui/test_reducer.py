"""The reducer: events in, view out; live and replayed the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.message import Message, MessageRole, TextContent
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, opening_view, reduce
from dsbuilder_tui.wording import eta_words, event_line, progress_line, rate_words, spent_words, worker_words
from tests.session.test_determinism import NARROW
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def played(events: list[Event], view: RunView | None = None) -> RunView:
    view = view or RunView()
    for event in events:
        view = reduce(view, event)
    return view


def lasting(view: RunView) -> RunView:
    """Without what only the moment knows: when exactly something came, and who was busy with it."""
    return replace(
        view, workers={}, workers_limit=0, limit_reason="", samples=(), started=0.0,
        notice="", notice_level=NoticeLevel.INFO, session="", worker_model="", provider="",
        points=(), feed=tuple(replace(t, ts=0.0) for t in view.feed),
    )  # fmt: skip


async def test_replayed_events_give_the_view_that_live_ones_gave(make_plan: Plans, make_config: Configs) -> None:
    rates = {"rate_limit": 0.1, "server_error": 0.1, "few": 0.1, "malformed": 0.1}
    async with FakeOpenAI(rates=rates, seed=5, duplicate_rate=0.2) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=3, max_attempts=3, checkpoint_interval=10)
        async with await Session.create(make_plan(30, 20), config) as session:
            live: list[Event] = []
            session.subscribe(live.append)

            def interrupt(event: Event) -> None:
                if isinstance(event, ev.CaseAccepted) and event.accepted == 20:
                    session.request_pause(Pause("a test"))

            session.subscribe(interrupt)
            await session.run()
            kept = next(case for case in [c async for c in session.cases.all()])
            await session.cases.withdraw(kept.category, kept.ordinal, "dull")
            await session.cases.edit("category_2", 1, {"query": "By hand"}, {"polite": True})
            await session.plans.revise(make_plan(30, 22))
            await session.run()
            rejected = next((r for r in await session.rejections.newest() if r.candidate and r.stage != "person"), None)
            assert rejected is not None
            await session.cases.keep_rejected(rejected.seq)
            past = [event async for event in recorded_events(session)]
            # What an open session shows is the same again.
            opened = opening_view(
                await session.summary(),
                await session.checkpoints.all(),
                await session.rejections.newest(),
                revision=session.plans.revision,
            )
    told, was = played(past), played(live)
    assert lasting(told) == lasting(was)
    # A checkpoint written while nothing runs is not announced; ``LiveSession`` takes the view from the file again.
    assert {(p.number, p.accepted) for p in was.points} <= {(p.number, p.accepted) for p in told.points}
    assert (told.state, told.planned, told.revision) == ("finished", 52, 2)
    assert told.prompt_tokens > 0
    for name in ("accepted", "rejected", "exhausted", "planned", "revision", "state", "prompt_tokens"):
        assert getattr(opened, name) == getattr(told, name), name
    assert dict(opened.categories) == dict(told.categories)
    assert [p.accepted for p in opened.points] == [p.accepted for p in told.points]


async def test_exhausted_slots_are_found_again(make_config: Configs) -> None:
    live: list[Event] = []
    async with await Session.create(NARROW, make_config(max_attempts=1)) as session:
        session.subscribe(live.append)
        await session.run()
        lost = played(live)
        assert lost.exhausted and lost.left == 0
        await session.cases.retry_exhausted()
        await session.run()
    view = played(live)
    assert view.accepted + view.exhausted == view.planned and view.exhausted < lost.exhausted


START = ev.RunStarted(
    ts=100.0, session="s", dataset_name="s", provider="openai", worker_model="m", planned=100, accepted=10,
    categories={"a": {"planned": 100, "accepted": 10, "rejected": 2, "exhausted": 1}}, max_workers=4, resumed=True,
)  # fmt: skip


def accepted(ts: float, number: int, batch: int = 1) -> Event:
    return ev.CaseAccepted(
        ts=ts, case_id=f"a-{number}", category="a", slot=number, seq=number, batch=batch, text="x", accepted=number,
        planned=100,
    )  # fmt: skip


def test_rate_and_range_of_what_is_left() -> None:
    view = reduce(RunView(), START)
    assert view.eta() is None and eta_words(view) == "" and rate_words(view) == ""
    for n in range(1, 41):  # one a second, then two
        view = reduce(view, accepted(100 + (n if n <= 20 else 20 + (n - 20) / 2), 10 + n))
    assert view.accepted == 50 and view.left == 49
    low, high = view.eta() or (0, 0)
    assert low == pytest.approx(49 / 2 * 0.9) and high == pytest.approx(49 / 2 * 1.2)
    for n in range(41, 81):  # and then ten a second
        view = reduce(view, accepted(130 + (n - 40) / 10, 10 + n))
    low, high = view.eta() or (0, 0)
    assert 0 < low < high and view.rate() > 40 / 30
    assert eta_words(view).startswith("done in ") and rate_words(view) == "10 cases/s"


@pytest.mark.parametrize(("slow", "fast"), [(60, 20.0), (20, 5.0), (300, 60.0)])
def test_a_slow_start_is_forgotten(slow: int, fast: float) -> None:
    """The endpoint loaded its model, or the comparison its own: what is left is told from the last seconds."""
    view = reduce(RunView(), replace(START, planned=1000))
    for n in range(1, 6):
        view = reduce(view, accepted(100 + slow * n / 5, 10 + n))
    for n in range(1, 201):
        view = reduce(view, accepted(100 + slow + n / fast, 15 + n))
    low, high = view.eta() or (0, 0)
    assert low <= view.left / fast <= high <= 1.5 * view.left / fast


def test_no_range_when_nothing_is_left() -> None:
    view = reduce(RunView(), replace(START, planned=12))
    view = reduce(reduce(view, accepted(101, 11)), accepted(102, 12))
    assert view.left == -1 or view.eta() is None


def test_workers_wait_and_go_on() -> None:
    view = reduce(RunView(), START)
    view = reduce(view, ev.BatchStarted(ts=101, batch=1, worker=1, category="a", slots=(11, 12, 13), attempt=0))
    view = reduce(view, ev.BatchStarted(ts=101, batch=2, worker=2, category="a", slots=(14,), attempt=0))
    retry = ev.RetryScheduled(ts=102, batch=1, worker=1, kind=FailureKind.RATE_LIMIT, wait_s=8, attempt=1, detail="429")
    view = reduce(view, retry)
    assert view.waiting == {1: 110} and view.workers_busy == 2
    assert worker_words(view.workers[1], 106) == "rate limit · 4 s"
    assert worker_words(view.workers[1], 200) == "rate limit · 0 s"
    view = reduce(view, ev.ConcurrencyChanged(ts=102, limit=1, reason="rate-limited"))
    assert (view.workers_limit, view.limit_reason) == (1, "rate-limited")
    assert reduce(view, replace(retry, batch=9)) == view, "a word about a batch that the worker no longer has"
    view = reduce(view, accepted(111, 11))
    assert view.waiting == {} and view.workers[1].judged == 1 and worker_words(view.workers[1], 111) == "streaming"
    done = ev.BatchFinished(
        ts=112, batch=1, worker=1, category="a", outcome=CallOutcome.TRUNCATED, delivered=1, seconds=11, prompt_tokens=5,
        completion_tokens=7,
    )  # fmt: skip
    view = reduce(view, done)
    assert worker_words(view.workers[1], 112) == "cut off · 2 back" and view.workers_busy == 1
    assert (view.prompt_tokens, view.completion_tokens, view.calls) == (5, 7, 1)
    late = reduce(view, replace(done, batch=99, worker=2))
    assert late.calls == 2 and late.prompt_tokens == 10 and late.workers == view.workers, (
        "told late, counted all the same"
    )
    view = reduce(view, ev.RunPausing(ts=113, draining=1, reason="asked"))
    assert view.busy and view.state is RunState.PAUSING
    view = reduce(view, ev.RunPaused(ts=114, accepted=11, planned=100, dropped_batches=1, reason="asked"))
    assert not view.busy and view.workers == {} and view.workers_busy == 0


def test_withdrawn_kept_and_revised() -> None:
    view = played([START, accepted(101, 11)])
    gone = ev.CaseWithdrawn(
        ts=102, case_id="a-11", category="a", slot=11, seq=11, text="x", reason="dull", accepted=10, planned=100
    )
    view = reduce(view, gone)
    assert (view.accepted, view.rejected, view.categories["a"].accepted, view.categories["a"].rejected) == (
        10,
        3,
        10,
        3,
    )
    kept = ev.CaseEdited(ts=103, case_id="a-10", category="a", slot=10, seq=12, text="y", change=CaseChange.KEPT)
    assert reduce(view, kept) == view, "one for another: no count changes"
    counts = {"a": {"planned": 50, "accepted": 10, "rejected": 3, "exhausted": 1}, "b": {"planned": 5, "accepted": 0, "rejected": 0, "exhausted": 0}}  # fmt: skip
    view = reduce(view, ev.PlanRevised(ts=104, revision=2, planned=55, categories=counts))
    assert (view.revision, view.planned, view.left, list(view.categories)) == (2, 55, 44, ["a", "b"])


def test_a_case_for_an_exhausted_slot_takes_it_back() -> None:
    start = replace(START, planned=11, categories={"a": {"planned": 11, "accepted": 10, "rejected": 2, "exhausted": 1}})
    view = played([start, accepted(101, 11)])
    assert (view.accepted, view.exhausted, view.left) == (11, 0, 0)


def test_what_is_kept_is_bounded() -> None:
    view = reduce(RunView(), START)
    for n in range(500):
        view = reduce(
            view,
            ev.CaseRejected(
                ts=101 + n, category="a", slot=1, seq=n, batch=1, stage="near", reason="r", text="t", attempt=0, score=0.9,
                threshold=0.8, nearest_case_id=None,
            ),
        )  # fmt: skip
        view = reduce(
            view, ev.CheckpointSaved(ts=101 + n, checkpoint=n, seq=n, reason="interval", accepted=n, planned=999)
        )
    assert len(view.feed) == 100 and view.feed[-1].seq == 499 and view.stages == {"near": 500}
    assert len(view.points) == 200 and view.points[-1].number == 499
    for n in range(5000):
        view = reduce(view, accepted(700 + n / 10, n))
    assert len(view.samples) < 64


def test_an_event_that_no_display_needs_changes_nothing() -> None:
    view = reduce(RunView(), START)
    assert reduce(view, ev.MessageAdded(ts=1, message=Message(1, MessageRole.PERSON, "x", TextContent(), 1))) == view
    assert reduce(view, Event(ts=5)) == view


# What it costs


def finished(tokens: int, dollars: float | None) -> Event:
    return ev.BatchFinished(
        ts=101.0, batch=1, worker=1, category="a", outcome=CallOutcome.OK, delivered=1, seconds=1.0, prompt_tokens=tokens,
        completion_tokens=0, dollars=dollars,
    )  # fmt: skip


def agent(tokens: int, dollars: float | None) -> Event:
    return ev.AgentCalled(
        ts=101.0, purpose="turn", model="m", prompt_tokens=tokens, cached_tokens=0, completion_tokens=0, seconds=1.0,
        dollars=dollars,
    )  # fmt: skip


def end(dollars: float | None) -> Event:
    return ev.RunFinished(
        ts=200.0, accepted=100, planned=100, rejected=0, exhausted=0, seconds=9.0, prompt_tokens=7, completion_tokens=1,
        dollars=dollars,
    )  # fmt: skip


def test_dollars_are_added_by_role_and_the_end_has_the_last_word() -> None:
    view = played([START, agent(100, 0.05), finished(1000, 0.3), finished(1000, 0.07), finished(0, None)])
    assert (view.agent_dollars, view.worker_dollars, view.unpriced) == (0.05, pytest.approx(0.37), False)
    assert (view.tokens, spent_words(view)) == (2100, "$0.42 → ~$3.75")  # 0.37 for 10 cases, 100 planned
    assert spent_words(view, 5.0) == "$0.42 of $5.00 → ~$3.75"
    assert progress_line(view).endswith("$0.42 → ~$3.75")
    assert reduce(view, end(0.9)).dollars == pytest.approx(0.9) and reduce(view, end(None)).dollars == view.dollars
    assert (event_line(end(0.004)) or "").endswith("7 + 1 tokens, $0.004")
    assert (event_line(end(None)) or "").endswith("7 + 1 tokens")


def test_a_forecast_is_made_only_where_it_says_something() -> None:
    view = played([START, finished(1000, 0.5)])
    assert view.forecast() == pytest.approx(5.0)
    for changed in (
        replace(view, accepted=9), replace(view, accepted=99), replace(view, worker_dollars=0.0), replace(view, unpriced=True),
    ):  # fmt: skip
        assert changed.forecast() is None


def test_tokens_are_told_where_no_price_is_known() -> None:
    assert spent_words(played([START])) == ""
    view = played([START, finished(12_300, None)])
    assert view.unpriced and spent_words(view, 5.0) == "12.3 k tokens"
    view = reduce(view, agent(10, 0.0061))
    assert spent_words(view) == "at least $0.006"
    assert spent_words(played([START, finished(10, 0.0)])) == "$0.00"  # a model of one's own that costs nothing
