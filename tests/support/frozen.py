"""Sessions that stand still: scripted cases, a frozen clock, and an app that shows one moment of them.

Nothing here runs, waits for the wall clock or draws at random, so that the same script gives the same picture on any
machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.pilot import Pilot

import dsbuilder_tui.tui.app
from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Exhausted, Rejection, Usage
from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.message import MessageRole, NoticeContent, message_content
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.store.commit import history_row
from dsbuilder_tui.store.rows import Changes, WorkerCall
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.live_session import LiveSession, sentence
from dsbuilder_tui.tui.studio.cards import Card
from dsbuilder_tui.tui.widgets.rows import PagedRows
from dsbuilder_tui.view import RunView, reduce

NOW = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC).timestamp()
START = NOW - 401
ENDPOINT = {"base_url": "https://llm.example.org/v1"}
_BATCH = 20
_PATIENCE = 60.0  # seconds until a condition that does not come true fails the test

_SAID = (
    "Where is my order #{n}? It should have been here days ago.",
    "I want a refund for order #{n}, the box arrived open.",
    "Can you tell me whether the {thing} works with {other}?",
    "Order #{n} says delivered, but there is nothing at my door.",
    "Please cancel order #{n} and send the money back.",
    "How long does the {thing} last, and what does the warranty cover?",
    "My neighbour took parcel {n}. Can you check who signed for it?",
    "I was charged twice for order #{n}, and nobody answers the phone!",
)
_THINGS = ("wireless headphones", "electric toothbrush", "travel kettle", "desk lamp", "running shoes", "rain jacket")
_TONES = ("polite", "impatient", "frustrated", "cheerful", "confused")
_PERSONAS = ("long-time customer", "worried parent", "student", "small-business owner")
_STAGES = (
    ("structural", 1.0, None, "the same once ids, names and dates are masked"),
    ("near", 0.81, 0.7, "81 % of its words and word pairs are those of an accepted case"),
    ("structural", 1.0, None, "the same once ids, names and dates are masked"),
    ("semantic", 0.94, 0.92, "means the same as an accepted case in other words"),
    ("schema", None, None, "the field `query` is missing from `inputs`"),
)


class FrozenClock:
    """Stands at ``at`` until it is set."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return 1000.0


class FrozenApp(StudioApp):
    """The app with nothing in it that moves; closes the sessions that were opened for it."""

    CSS_PATH = str(Path(dsbuilder_tui.tui.app.__file__).with_name("app.tcss"))

    def __init__(self, flags: Mapping[str, Any] | None = None) -> None:
        super().__init__(flags, clock=FrozenClock())
        self.animation_level = "none"
        self.sessions: list[Session] = []

    async def on_unmount(self) -> None:
        for session in self.sessions:
            await session.aclose()


class Standing(LiveSession):
    """A session at the moment its script has come to: it looks as if it were running, and nothing runs."""

    @property
    def running(self) -> bool:
        return self.view.busy

    async def wait(self) -> None:
        """There is nothing to wait for."""


class Script:
    """Writes the past of one session: into its file, and with it into the view of it."""

    texts: ClassVar[Sequence[str]] = _SAID

    def __init__(self, app: FrozenApp, plan: DatasetPlanInput, **settings: Any) -> None:
        self.app, self.plan, self.clock = app, plan, FrozenClock(START - 90)
        self.settings = {**app.flags, **settings}
        self.batch = 0

    async def open(self, folder: Path | None = None) -> Script:
        config = DatasetBuilderConfig(**{"max_dataset_size": 1_000_000, **self.settings})
        self.session = await Session.create(self.plan, config, clock=self.clock)
        self.app.sessions.append(self.session)
        self.store = self.session._files.store
        self.view = RunView(
            session=self.session.id, dataset_name=self.plan.dataset_name, planned=self.plan.total_instances,
            categories={c.name: CategoryView(planned=c.count) for c in self.plan.categories},
            workers_limit=config.workers,
        )  # fmt: skip
        return self

    # The conversation

    async def say(self, role: str, text: str, kind: str = "text", data: Any = None, *, after: float = 15) -> None:
        self.clock.at += after
        await self.session.chat.add(MessageRole(role), text, message_content(kind, data or {}))

    async def card(self) -> None:
        await self.say("dsbuilder", "plan · rev 1", "plan", plan_content(self.plan, 1).data())

    async def happen(self, *events: ev.Event) -> None:
        """Events of the present: into the view, and what the conversation says about them."""
        for event in events:
            self.view = reduce(self.view, event)
            if words := sentence(event, self.view):
                self.clock.at = event.ts
                await self.session.chat.add(MessageRole.DSBUILDER, words, NoticeContent())

    # The past

    async def began(self, workers: int = 8, **more: Any) -> None:
        offline = self.session.config.resolved_provider == "offline"
        event = ev.RunStarted(
            ts=START, session=self.session.id, dataset_name=self.plan.dataset_name,
            provider="offline" if offline else "openai", worker_model="built-in" if offline else "gpt-4o-mini",
            planned=self.plan.total_instances, accepted=0, max_workers=workers, resumed=False,
            categories=more.get("categories") or {
                c.name: {"planned": c.count, "accepted": 0, "rejected": 0, "exhausted": 0} for c in self.plan.categories
            },
        )  # fmt: skip
        await self.session._files.remember(
            state=SessionState.RUNNING, provider=event.provider, worker_model=event.worker_model
        )
        await self.store.history.record(event)
        await self.happen(event)

    async def write(
        self, counts: Mapping[str, tuple[int, int]], *, exhausted: int = 0, until: float = NOW, tokens: int = 1200
    ) -> None:
        """Accept and reject so many candidates of each category, evenly over the time; ``exhausted`` of the last one."""
        changes, order = Changes(), []
        for name, (accepted, rejected) in counts.items():
            total = accepted + rejected
            order += [((k + 0.5) / total, name, k) for k in range(total)]
        kept: dict[str, list[AcceptedCase]] = {name: [] for name in counts}
        calls: dict[str, list[int]] = {name: [0, 0, 0] for name in counts}  # batch, candidates, accepted
        passed = 0
        for index, (_, name, number) in enumerate(sorted(order, key=lambda o: (o[0], list(counts).index(o[1])))):
            accepted, rejected = counts[name]
            at = START + (until - START) * (index + 1) / (len(order) + 1)
            call = calls[name]
            if call[1] % _BATCH == 0:
                self.batch += 1
                call[:] = [self.batch, 0, 0]
                slots = tuple(range(number + 1, number + 1 + _BATCH))
                batch = ev.BatchStarted(
                    ts=at, batch=self.batch, worker=1 + self.batch % 5, category=name, slots=slots, attempt=0
                )
                changes.history.append(history_row(self.store.next_seq(), batch))
            call[1] += 1
            turned = rejected and (number + 1) * rejected // (accepted + rejected) > number * rejected // (
                accepted + rejected
            )
            if turned and kept[name]:
                changes.rejected.append(self._rejection(kept[name], number, at, call[0]))
            else:
                changes.accepted.append(self._case(name, len(kept[name]) + 1, at, call[0]))
                kept[name].append(changes.accepted[-1])
                call[2] += 1
                passed += 1
                if passed % self.session.config.checkpoint_interval == 0:
                    self._checkpoint(changes, "interval", passed, at)
            if call[1] == _BATCH:
                seq = self.store.next_seq()
                ended = CallOutcome.TRUNCATED if call[2] < 15 else CallOutcome.OK
                usage = Usage(tokens // 3, tokens * 2 // 3, known=True) if tokens else Usage()
                changes.calls.append(
                    WorkerCall(
                        seq=seq,
                        category=name,
                        batch=call[0],
                        model=self.view.worker_model,
                        size=_BATCH,
                        outcome=ended,
                        delivered=call[2],
                        retries=int(call[0] % 7 == 3),
                        usage=usage,
                        seconds=4.0 + call[0] % 5,
                        detail="",
                        created_at=at,
                        worker=1 + call[0] % 5,
                    )
                )  # fmt: skip
        for number in range(exhausted):
            name = list(counts)[-1]
            turned_away = self._rejection(kept[name], number * 5, until, self.batch)
            last = replace(turned_away, ordinal=counts[name][0] + number + 1, attempt=5)
            changes.rejected.append(last)
            changes.exhausted.append(Exhausted(last.seq, name, last.ordinal, 6, last.reason))
        await self.store.commit(changes)
        self.view = await self._reread()

    async def _reread(self) -> RunView:
        view = replace(
            self.view, state=RunState.IDLE, workers={}, points=(), feed=(), stages={}, samples=(), calls=0, prompt_tokens=0,
            completion_tokens=0, worker_dollars=0.0,
        )  # fmt: skip
        async for event in recorded_events(self.session):
            view = reduce(view, event)
        return replace(view, workers={})

    def text(self, category: str, number: int) -> str:
        thing, other = _THINGS[number % len(_THINGS)], _THINGS[(number * 5 + 2) % len(_THINGS)]
        return self.texts[(number * 3 + len(category)) % len(self.texts)].format(
            n=10_000 + number * 379 % 89_999, thing=thing, other=other
        )

    def _case(self, name: str, ordinal: int, at: float, batch: int) -> AcceptedCase:
        tags = {
            "attributes": {"persona": _PERSONAS[ordinal % 4], "tone": _TONES[ordinal % 5]},
            "model": self.view.worker_model,
        }
        expected = {"contains_order_id": True, "guidelines": "Stays polite, names the order, promises nothing."}
        return AcceptedCase(
            seq=self.store.next_seq(),
            category=name,
            ordinal=ordinal,
            inputs={"query": self.text(name, ordinal)},
            expectations=expected,
            tags=tags,
            created_at=at,
            structure=ordinal,
            batch=batch,
        )

    def _rejection(self, kept: Sequence[AcceptedCase], number: int, at: float, batch: int) -> Rejection:
        nearest = kept[number * 7 % len(kept)]
        stage, score, threshold, reason = _STAGES[number % len(_STAGES)]
        text, candidate = nearest.inputs["query"], None
        if stage == "structural":
            text = text.replace("1", "7").replace("3", "4")
        elif stage == "semantic":
            text = f"Hello, {text[:1].lower()}{text[1:]} Thank you."
        elif stage == "near":
            text = text.replace("my", "this").replace("the ", "that ")
        if stage == "schema":
            text, found = "", None
        else:
            candidate = {"inputs": {"query": text}, "expectations": nearest.expectations, "tags": nearest.tags}
            found = nearest
        return Rejection(
            seq=self.store.next_seq(),
            category=nearest.category,
            ordinal=len(kept) + 1,
            attempt=0,
            stage=stage,
            reason=reason,
            text=text,
            created_at=at,
            score=score,
            threshold=threshold,
            nearest_seq=found.seq if found else None,
            nearest_case_id=found.case_id if found else None,
            batch=batch,
            candidate=candidate,
        )

    def _checkpoint(self, changes: Changes, reason: str, accepted: int, at: float) -> None:
        number, planned = self.store.next_checkpoint(), self.plan.total_instances
        changes.checkpoints.append(
            Checkpoint(id=number, seq=self.store.seq, reason=reason, accepted=accepted, planned=planned, created_at=at)
        )

    # The present

    async def at_work(self, *calls: tuple[str, int, float], size: int = _BATCH) -> None:
        """Calls in flight: (category, cases delivered, seconds so far), for workers 1, 2, …"""
        for worker, (category, delivered, seconds) in enumerate(calls, 1):
            self.batch += 1
            slots = tuple(range(150 + worker, 150 + worker + size))
            began = NOW - seconds
            await self.happen(
                ev.BatchStarted(ts=began, batch=self.batch, worker=worker, category=category, slots=slots, attempt=0)
            )
            trace = CallTrace(
                batch=self.batch,
                worker=worker,
                category=category,
                model="gpt-4o-mini",
                slots=slots,
                attempt=0,
                started=began,
                system="You write test cases.",
                prompt=f"Write {size} cases of the category {category}. Slot 1: student, polite. Slot 2: worried parent, confused.",
            )
            trace.arrivals = [began + seconds * (n + 1) ** 0.8 / (delivered + 1) ** 0.8 for n in range(delivered)]
            trace.first_text = 0.42 if delivered else None
            for number in range(delivered):
                trace.heard(f'{{"slot": {number + 1}, "inputs": {{"query": "{self.text(category, 150 + number)}"}}}}\n')
            self.session._context.call_log.begin(trace)

    async def wait_for_endpoint(
        self, *batches: int, kind: FailureKind = FailureKind.RATE_LIMIT, detail: str = "429"
    ) -> None:
        for back, batch in enumerate(batches):
            worker = next(w for w in self.view.workers.values() if w.batch == batch)
            retry = ev.RetryScheduled(
                ts=NOW - 2 + back, batch=batch, worker=worker.number, kind=kind, wait_s=6.0, attempt=1, detail=detail
            )
            trace = next(t for t in self.session.calls.live() if t.batch == batch)
            trace.retries.append(retry)
            trace.arrivals = []
            trace.try_again()
            await self.happen(retry)

    async def pausing(self, reason: str = "asked to pause") -> None:
        await self.happen(ev.RunPausing(ts=NOW - 1, draining=self.view.workers_busy, reason=reason))

    async def paused(self, *, dropped: int = 0, reason: str = "asked to pause") -> None:
        planned = self.plan.total_instances
        changes = Changes()
        self._checkpoint(changes, "pause", self.view.accepted, NOW)
        await self.store.commit(changes)
        self.view = await self._reread()
        await self.session._files.remember(state=SessionState.PAUSED)
        end = ev.RunPaused(ts=NOW, accepted=self.view.accepted, planned=planned, dropped_batches=dropped, reason=reason)
        await self.happen(end)

    async def finished(self) -> None:
        changes = Changes()
        self._checkpoint(changes, "finish", self.view.accepted, NOW)
        await self.store.commit(changes)
        self.view = view = await self._reread()
        state = SessionState.SHORT if view.exhausted else SessionState.COMPLETE
        await self.session._files.remember(state=state)
        await self.happen(
            ev.RunFinished(
                ts=NOW, accepted=view.accepted, planned=view.planned, rejected=view.rejected, exhausted=view.exhausted,
                seconds=401.0, prompt_tokens=view.prompt_tokens, completion_tokens=view.completion_tokens,
            )
        )  # fmt: skip

    async def show(self, pilot: Pilot[Any]) -> None:
        """Open the studio on it."""
        self.clock.at = NOW
        await settled(pilot)
        live = Standing(self.session, self.view, self.app.make_model)
        self.app.live = live
        await self.app.push_named("studio", live, await self.session.chat.messages())
        await settled(pilot)


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Wait until it is so. Raises ``AssertionError`` when it does not come to be."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {condition}"
        await pilot.pause()
        await asyncio.sleep(0.005)


def _drawn(app: App[Any]) -> object:
    """All that is on the screen, with what shows through from below, as it would be drawn: with its styles."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    return app.title, [list(strips) for strips in update.strips]  # type: ignore[union-attr]


async def settled(pilot: Pilot[Any], *, picture: bool = False) -> None:
    """Wait until all that was begun is done: no reading, no answer, every row there; and the ``picture`` stands."""
    app = pilot.app

    def at_rest() -> bool:
        working = [worker for worker in app.workers if not worker.is_finished and worker.group != "chat"]
        rows = [list_ for screen in app.screen_stack for list_ in screen.query(PagedRows)]
        dim = [card for card in app.screen.query(Card) if card.has_focus and not card.lit]
        return not working and not dim and all(not list_.count or list_.chosen is not None for list_ in rows)

    frames: list[object] = []

    def stands() -> bool:
        if not at_rest():
            frames.clear()
            return False
        frames.append(_drawn(app) if picture else None)
        return len(frames) >= 3 and frames[-3] == frames[-2] == frames[-1]

    await until(pilot, stands)
