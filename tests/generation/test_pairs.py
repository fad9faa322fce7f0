"""Contrast pairs and paraphrase partners in a run: exact counts, what is let in, and what becomes of a pair."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_pair import CasePair, ContrastChange, PairKind, PairSide, pair_of
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.fake_openai import FakeOpenAI
from tests.support.judged_runs import judging, run_and_hear
from tests.support.pair_worker import Asked, PairWorker, contrast, same

Configs = Callable[..., DatasetBuilderConfig]


def pair_plan(*counts: int, **more: Any) -> DatasetPlanInput:
    categories = [
        {
            "name": f"category_{number}", "count": count, "example_inputs": "Where is my order?",
            "expectations": {"decision": "grant"}, "write": ["guidelines"], **more,
        }
        for number, count in enumerate(counts, 1)
    ]  # fmt: skip
    return parse_plan({"dataset_name": "pairs", "categories": categories})


async def cases_of(session: Session) -> dict[str, AcceptedCase]:
    return {case.case_id: case async for case in session.cases.all()}


def pairs_among(cases: dict[str, AcceptedCase]) -> list[tuple[AcceptedCase, AcceptedCase, CasePair]]:
    """Original, partner and pair; both cases bear the same pair."""
    found = []
    for case in cases.values():
        pair = pair_of(case.tags)
        if pair is None:
            continue
        other = cases[pair.other]
        assert pair_of(other.tags) == pair.mirrored(case.case_id)
        if pair.side is PairSide.PARTNER:
            found.append((other, case, pair))
    return found


def pair_counts(cases: dict[str, AcceptedCase]) -> dict[str, int]:
    return dict(Counter(pair.relation.value for _, _, pair in pairs_among(cases)))


@pytest.mark.parametrize(
    ("shares", "wanted"),
    [
        ({"contrast": "10 %"}, {"contrast": 10}),
        ({"same": 0.1}, {"same": 10}),
        ({"contrast": 0.1, "same": "10 %"}, {"contrast": 10, "same": 10}),
        ({"contrast": "25 %", "same": "25 %"}, {"contrast": 25, "same": 25}),
        ({"contrast": 0.5}, {"contrast": 50}),
    ],
)
async def test_partners_are_part_of_the_count(
    fake: FakeOpenAI, make_config: Configs, shares: dict[str, Any], wanted: dict[str, int]
) -> None:
    worker = fake.reply_for = PairWorker()
    config = make_config(base_url=fake.url, api_key="k", batch_size=7, max_workers=4)
    async with await Session.create(pair_plan(100, **shares), config) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 100)
        cases = await cases_of(session)
        assert pair_counts(cases) == wanted
        assert len(worker.asked) == sum(wanted.values()), "each partner is asked for once"
        assert len({case.inputs["query"] for case in cases.values()}) == 100
        for original, partner, pair in pairs_among(cases):
            assert pair.id == original.case_id and original.ordinal < partner.ordinal
            assert original.tags["attributes"] == partner.tags["attributes"]
            if pair.relation is PairKind.CONTRAST:
                assert original.expectations != partner.expectations
                assert pair.change is not None and pair.changed.startswith(pair.change)
            else:
                assert original.expectations == partner.expectations and pair.change is None
        changes = Counter(pair.change for *_, pair in pairs_among(cases) if pair.change)
        if changes:
            assert set(changes) == set(ContrastChange) and max(changes.values()) - min(changes.values()) <= 1


async def test_which_slots_are_pairs_depends_on_plan_and_seed_alone(fake: FakeOpenAI, make_config: Configs) -> None:
    found = []
    for workers in (1, 6):
        fake.reply_for = PairWorker()
        config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=workers, seed=4)
        async with await Session.create(pair_plan(60, 40, contrast=0.1, same=0.1), config) as session:
            await session.run()
            found.append({(o.case_id, p.case_id, pair.change) for o, p, pair in pairs_among(await cases_of(session))})
    assert found[0] == found[1] and len(found[0]) == 20


def _identical(asked: Asked, times: int) -> dict[str, Any]:
    return {**contrast(asked, times), "inputs": asked.case["inputs"]}


def _as_expected(asked: Asked, times: int) -> dict[str, Any]:
    expected = {key: [f"{text.upper()}!" for text in value] if isinstance(value, list) else value
                for key, value in asked.case["expectations"].items()}  # fmt: skip
    return {**contrast(asked, times), "expectations": expected}


def _said_again(asked: Asked, times: int) -> dict[str, Any]:
    return {**same(asked, times), "inputs": asked.case["inputs"]}


def _expects_another(asked: Asked, times: int) -> dict[str, Any]:
    return {**same(asked, times), "expectations": {**asked.case["expectations"], "decision": "refuse"}}


def _no_guidelines(asked: Asked, times: int) -> dict[str, Any]:
    return {
        **same(asked, times),
        "inputs": {"query": asked.case["inputs"]["query"].replace("today", "today, #1234567")},
    }


@pytest.mark.parametrize(
    ("kind", "wrong", "stage", "words"),
    [
        ("contrast", _identical, "validators", "word for word"),
        ("contrast", _as_expected, "validators", "what is expected is the same"),
        ("contrast", same, "validators", "what is expected is the same"),  # of the other kind
        ("same", _said_again, "validators", "word for word"),
        ("same", _expects_another, "validators", "decision differs"),
        ("same", contrast, "validators", "decision differs"),
    ],
)
async def test_a_partner_that_is_none_is_turned_away_and_written_again(
    fake: FakeOpenAI, make_config: Configs, kind: str, wrong: Callable[..., dict[str, Any]], stage: str, words: str
) -> None:
    right = contrast if kind == "contrast" else same
    worker = fake.reply_for = PairWorker(**{kind: lambda asked, times: (wrong if times < 3 else right)(asked, times)})
    config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=3, max_attempts=4)
    async with await Session.create(pair_plan(20, **{kind: 0.2}), config) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        cases = await cases_of(session)
        assert pair_counts(cases) == {kind: 4}
        turned = [event for event in seen if event.type == "case_rejected"]
        assert {event.stage for event in turned} == {stage} and len(turned) == 8  # type: ignore[attr-defined]
        assert all(words in event.reason for event in turned)  # type: ignore[attr-defined]
        assert any(words in prompt for prompt in worker.prompts), "whoever writes it again is told"


async def test_a_partner_that_does_not_come_is_exhausted_and_told(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.reply_for = PairWorker(contrast=_as_expected)
    config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=3, max_attempts=2)
    async with await Session.create(pair_plan(30, contrast=0.1), config) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted, result.exhausted) == ("short", 27, 3)
        assert pair_counts(await cases_of(session)) == {}
        told = [event.text for event in seen if isinstance(event, Notice)]
        assert any("category_1" in text and "0 of 3 contrast pairs" in text for text in told), told


async def test_two_partners_for_one_slot_are_one(fake: FakeOpenAI, make_config: Configs) -> None:
    """A model that writes a slot's partner twice: one of them counts."""
    worker = PairWorker()

    def twice(body: dict[str, Any], call: int) -> Any:
        import json

        reply = worker(body, call)
        said = json.loads(reply.body["choices"][0]["message"]["content"])  # type: ignore[index]
        if said["cases"] and "It is not mine" in said["cases"][-1]["inputs"]["query"]:
            again = json.loads(json.dumps(said["cases"][-1]))
            again["inputs"]["query"] += " Really not."
            said["cases"].append(again)
            reply.body["choices"][0]["message"]["content"] = json.dumps(said)  # type: ignore[index]
        return reply

    fake.reply_for = twice
    config = make_config(base_url=fake.url, api_key="k", batch_size=4, max_workers=2)
    async with await Session.create(pair_plan(40, contrast=0.2), config) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 40)
        assert pair_counts(await cases_of(session)) == {"contrast": 8}


async def test_a_partner_is_let_in_against_its_own_case_only(fake: FakeOpenAI, make_config: Configs) -> None:
    """Of all partners one repeats another case but for a word: it is turned away, though its own case may be like it."""
    texts: list[str] = []

    def repeating(asked: Asked, times: int) -> dict[str, Any]:
        good = same(asked, times)
        texts.append(good["inputs"]["query"])
        if len(texts) == 3 and times == 1:
            return {**good, "inputs": {"query": texts[0].replace("Kindly", "Please, kindly")}}
        return good

    fake.reply_for = PairWorker(same=repeating)
    config = make_config(base_url=fake.url, api_key="k", batch_size=1, max_workers=1, max_attempts=4)
    async with await Session.create(pair_plan(20, same=0.5), config) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        turned = [event for event in seen if event.type == "case_rejected"]
        assert [event.stage for event in turned] in (["near"], ["semantic"])  # type: ignore[attr-defined]


async def test_where_the_original_is_exhausted_its_partner_is_a_case_of_its_own(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    worker = PairWorker()
    plan = pair_plan(10, contrast=0.5)
    originals_fail = {"left": True}

    def reply(body: dict[str, Any], call: int) -> Any:
        answer = worker(body, call)
        if originals_fail["left"] and "<case>" not in str(body["messages"][-1]["content"]):
            answer.body["choices"][0]["message"]["content"] = '{"cases": [{"slot": 1, "inputs": {"query": "Same?"}, ' \
                '"expectations": {"decision": "grant", "guidelines": ["x"]}}]}'  # type: ignore[index]  # fmt: skip
            if call > 12:
                originals_fail["left"] = False
        return answer

    fake.reply_for = reply
    config = make_config(base_url=fake.url, api_key="k", batch_size=1, max_workers=1, max_attempts=3)
    async with await Session.create(plan, config) as session:
        result, seen = await run_and_hear(session)
        assert result.state == "short" and result.accepted + result.exhausted == 10
        cases = await cases_of(session)
        assert 0 < pair_counts(cases)["contrast"] < 5
        told = [event.text for event in seen if isinstance(event, Notice)]
        assert any("of 5 contrast pairs" in text for text in told)


async def _with_a_pair(session: Session) -> tuple[AcceptedCase, AcceptedCase]:
    original, partner, _ = pairs_among(await cases_of(session))[0]
    return original, partner


@pytest.mark.parametrize("side", [PairSide.ORIGINAL, PairSide.PARTNER])
async def test_a_case_whose_other_one_is_taken_out_is_a_case_of_its_own(
    fake: FakeOpenAI, make_config: Configs, side: PairSide
) -> None:
    def again(asked: Asked, times: int) -> dict[str, Any]:
        query = f"{asked.case['inputs']['query']} My neighbour ordered all of that and never allowed anybody to ask."
        return contrast(asked, times) if times == 1 else {**contrast(asked, times), "inputs": {"query": query}}

    fake.reply_for = PairWorker(contrast=again)
    config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=3)
    async with await Session.create(pair_plan(20, contrast=0.2), config) as session:
        await session.run()
        original, partner = await _with_a_pair(session)
        gone, kept = (original, partner) if side is PairSide.ORIGINAL else (partner, original)
        events: list[Event] = []
        session.subscribe(events.append)
        await session.cases.withdraw(gone.category, gone.ordinal, "wrong")
        assert any(isinstance(e, Notice) and kept.case_id in e.text for e in events)
        left = await session.cases.get(kept.category, kept.ordinal)
        assert left is not None and pair_of(left.tags) is None and left.inputs == kept.inputs
        await session.cases.require_sound()
        assert (await session.run()).state == "complete"
        cases = await cases_of(session)
        # A partner that was taken out is written again; the next original has a partner that is there already.
        assert pair_counts(cases) == {"contrast": 4 if side is PairSide.PARTNER else 3}


async def test_a_pair_stays_one_when_a_case_is_edited_and_the_person_is_told(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    fake.reply_for = PairWorker()
    config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=3)
    async with await Session.create(pair_plan(20, contrast=0.2), config) as session:
        await session.run()
        original, partner = await _with_a_pair(session)
        events: list[Event] = []
        session.subscribe(events.append)
        edited = await session.cases.edit(
            original.category, original.ordinal, {"query": "Quite another thing"}, original.expectations
        )
        assert pair_of(edited.tags) == pair_of(original.tags)
        assert any(isinstance(e, Notice) and partner.case_id in e.text for e in events)
        noted = await session.cases.annotate(original.category, original.ordinal, note="look again")
        assert pair_of(noted.tags) == pair_of(original.tags)
        assert len(pairs_among(await cases_of(session))) == 4
        assert (await session.cases.partner(partner)).case_id == original.case_id  # type: ignore[union-attr]


async def test_the_judge_sees_the_case_that_a_partner_belongs_to(fake: FakeOpenAI, make_config: Configs) -> None:
    worker = fake.reply_for = PairWorker()
    seen: list[dict[str, Any]] = []

    def bad(case: dict[str, Any]) -> bool:
        seen.append(case)
        partner = case.get("partner_of")
        return partner is not None and sum(partner == one.get("partner_of") for one in seen) == 1

    fake.judge.bad = bad
    config = judging(make_config, fake, "all", retries=1)(max_attempts=4)
    async with await Session.create(pair_plan(40, contrast=0.1, same=0.1), config) as session:
        result, events = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 40)
        told = [case["partner_of"] for case in seen if "partner_of" in case]
        assert Counter(one["kind"] for one in told) == {"contrast": 8, "same": 8}
        originals = {o.inputs["query"]: o.expectations for o, _, _ in pairs_among(await cases_of(session))}
        assert all(originals[one["inputs"]["query"]] == one["expectations"] for one in told)
        assert sum(e.type == "case_rejected" and e.stage == "judge" for e in events) == 8  # type: ignore[attr-defined]
        assert len(worker.asked) == 16
        assert all("partner_of" in body["messages"][0]["content"] for body in fake.judge.bodies)


@pytest.mark.parametrize("share", ["lots", "60 %", -0.1, 0.7, True, [0.1], "0.2.1"])
def test_a_share_that_is_none_is_said_so(share: Any) -> None:
    with pytest.raises(Exception, match="contrast"):
        pair_plan(10, contrast=share)


def test_more_than_half_cannot_be_partners() -> None:
    with pytest.raises(Exception, match="more than half"):
        pair_plan(10, contrast=0.3, same=0.3)


def test_templates_know_of_no_other_case() -> None:
    with pytest.raises(Exception, match="mode: templates"):
        pair_plan(10, same=0.1, mode="templates")


async def test_partners_go_through_the_stages_of_their_category_but_are_not_evolved(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    """What makes a case harder is in its original: the partner takes that over."""
    worker = fake.reply_for = PairWorker()
    config = make_config(base_url=fake.url, api_key="k", batch_size=5, max_workers=3)
    plan = pair_plan(20, contrast=0.2, pipeline=[{"evolve": {"how": "harder"}}])
    async with await Session.create(plan, config) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        assert pair_counts(await cases_of(session)) == {"contrast": 4}
        evolved = [prompt for prompt in worker.prompts if "<case 1>" in prompt]
        assert evolved and all("partner" not in prompt[prompt.index("Slots (") :] for prompt in evolved)


async def test_counts_hold_among_faults_and_pauses(fake: FakeOpenAI, make_config: Configs) -> None:
    worker, faults = PairWorker(), ["server_error", "rate_limit", "broken_all", "reset", "empty"]

    def reply(body: dict[str, Any], call: int) -> Any:
        return None if call % 4 == 0 else worker(body, call)

    fake.reply_for, fake.kind_for = reply, lambda body: faults[fake.worker_calls // 4 % len(faults)]
    config = make_config(
        base_url=fake.url, api_key="k", batch_size=4, max_workers=5, request_timeout=1.0, max_attempts=30
    )
    async with await Session.create(pair_plan(60, 40, contrast=0.1, same=0.2), config) as session:
        pauses = [5, 30, 70, 95]

        def interrupt(event: Event) -> None:
            if pauses and getattr(event, "accepted", 0) == pauses[0] and event.type == "case_accepted":
                pauses.pop(0)
                session.request_pause(Pause("a test"))
                session.drop_in_flight()

        session.subscribe(interrupt)
        while (await session.run()).state == "paused":
            pass
        cases = await cases_of(session)
        assert len(cases) == 100 and pair_counts(cases) == {"contrast": 10, "same": 20}
        assert await session.cases.counts() == {"category_1": 60, "category_2": 40}


async def test_a_partner_whose_case_is_edited_meanwhile_is_written_again(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    """The act comes between the request and its answer: what comes then is for a text that is gone."""
    worker, asked, edited = PairWorker(), asyncio.Event(), asyncio.Event()

    def reply(body: dict[str, Any], call: int) -> Any:
        if "<case>" in str(body["messages"][-1]["content"]):
            asked.set()
            if not edited.is_set():
                return None
        return worker(body, call)

    fake.reply_for, fake.kind_for = reply, lambda body: "hang"
    config = make_config(base_url=fake.url, api_key="k", batch_size=1, max_workers=1, request_timeout=2.0)
    async with await Session.create(pair_plan(4, contrast=0.25), config) as session:

        async def edit() -> None:
            await asked.wait()
            said = str(fake.bodies[-1]["messages"][-1]["content"])
            (original,) = [case for case in (await cases_of(session)).values() if case.inputs["query"] in said]
            await session.cases.edit(
                original.category,
                original.ordinal,
                {"query": "Quite another thing about a bicycle"},
                original.expectations,
            )
            edited.set()

        act = asyncio.create_task(edit())
        assert (await session.run()).state == "complete"
        await act
        ((original, partner, _),) = pairs_among(await cases_of(session))
        assert original.inputs["query"] == "Quite another thing about a bicycle"
        assert partner.inputs["query"] == f"{original.inputs['query']} It is not mine."


async def test_a_sample_and_cases_that_were_there_are_judged_beside_their_case(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    fake.reply_for = PairWorker()
    told: list[dict[str, Any]] = []
    fake.judge.bad = lambda case: bool(told.append(case))
    config = judging(make_config, fake, "sample", retries=1)(judge_share=1.0)
    async with await Session.create(pair_plan(20, contrast=0.2), config) as session:
        await session.run()
        assert sum("partner_of" in case for case in told) == 4 and len(told) == 20
    told.clear()
    off = judging(make_config, fake, "off", retries=1)()
    async with await Session.create(pair_plan(20, contrast=0.2), off) as session:
        await session.run()
        assert not told
        await session.settings.change({"judge": "all"})
        await session.run()
        assert sum("partner_of" in case for case in told) == 4 and len(told) == 20
        assert pair_counts(await cases_of(session)) == {"contrast": 4}
