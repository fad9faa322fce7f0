"""Validators are rows that plans name: what they turn away is written again with the reason, and a broken one costs nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session, examples, load_plan
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.errors import EndpointRefused, ExitCode, PlanError
from dsbuilder_tui.domain.events import CaseRejected, Event, Notice, RunPaused
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, changes, patched
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.offline.planner.plan_arguments import as_arguments
from dsbuilder_tui.quality.validation import BY_DEFAULT, VALIDATORS, Validation, choices_of
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.tui.studio.plan_editor import plan_text
from tests.support.plug_ins import install_plug_in, plugged_in

Configs = Callable[..., DatasetBuilderConfig]

MODULE = """
from pathlib import Path

from dsbuilder_tui.quality.validator import Validator


def politeness(case, category, plan):
    return None if case.expectations.get("polite") else "the answer need not be polite"


def wordiness(case, category, plan):
    words = len(case.text.split())
    return f"{words} words are more than 12" if words > 12 else None


def slots(case, category, plan):
    return None if case.slot.attributes and case.slot.category == category.name else "no slot"


def fragile(case, category, plan):
    if Path(__file__).with_name("broken").exists():
        raise KeyError("the rules")


POLITE = Validator(words="the answer is polite", check=politeness)
SHORT = Validator(words="12 words at most", check=wordiness)
SLOTS = Validator(words="the case knows its slot", check=slots)
FRAGILE = Validator(words="fails while a file is there", check=fragile)
CHATTY = Validator(words="answers with something else", check=lambda case, category, plan: False)
"""
ENTRIES = """[dsbuilder.validators]
polite = house_rules:POLITE
short = house_rules:SHORT
slots = house_rules:SLOTS
fragile = house_rules:FRAGILE
chatty = house_rules:CHATTY
gone = house_rules:NOTHING
"""


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Path]:
    """An installed package with validators, good ones and broken ones."""
    folder = install_plug_in(tmp_path / "site", "house-rules", {"house_rules": MODULE}, ENTRIES)
    with plugged_in(folder, VALIDATORS):
        yield folder


class Writer:
    """A worker model that writes what a table says for (category, ordinal, attempt); ``asked`` is all it was asked for."""

    name, provider, ordered = "table", "table", False

    def __init__(self, table: Callable[[str, int, int], Any]) -> None:
        self._table = table
        self.asked: list[WorkerRequest] = []

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return []

    async def stream(self, request: WorkerRequest) -> Any:
        self.asked.append(request)
        for number, wanted in enumerate(request.slots, 1):
            case = self._table(wanted.slot.category, wanted.slot.ordinal, wanted.attempt)
            yield json.dumps({"slot": number, **case})
        yield StreamEnd("stop", Usage())

    async def close(self) -> None:
        return None


WORDS = "parcel invoice refund password address warranty delivery voucher account colour size order".split()


def case(number: int, **expectations: Any) -> dict[str, Any]:
    text = " ".join(WORDS[(number * 5 + step * (1 + number % 7)) % len(WORDS)] for step in range(4))
    return {"inputs": {"query": f"About {text} {WORDS[number % len(WORDS)]}?"}, "expectations": expectations}


def plan_of(*counts: int, validators: Any = (), own: Mapping[int, Any] | None = None, **more: Any) -> DatasetPlanInput:
    categories = [
        {"name": f"c{n}", "count": count, "example_inputs": "Hi", "expectations": {"polite": True}, **more}
        | ({"validators": own[n]} if own and n in own else {})
        for n, count in enumerate(counts)
    ]
    return parse_plan({"dataset_name": "d", "categories": categories, "validators": validators})


async def run(session: Session, model: Writer) -> tuple[Any, list[Event]]:
    told: list[Event] = []
    stop = session.subscribe(told.append)
    try:
        return await session.run(model), told
    finally:
        stop()


def test_the_names_stand_in_the_plan_and_in_every_form_of_it(packages: Path, tmp_path: Path) -> None:
    plan = plan_of(2, 3, validators="short", own={0: ["polite", "short"]})
    assert [plan.validators_of(category) for category in plan.categories] == [("short", "polite"), ("short",)]
    assert (
        plan_of(2).validators == plan_of(2).categories[0].validators == ()
        and plan_of(2, validators=None).validators == ()
    )
    assert parse_plan(json.loads(plan.model_dump_json())) == parse_plan(as_arguments(plan)) == plan
    (tmp_path / "plan.yaml").write_text(plan_text(plan))
    assert load_plan(tmp_path / "plan.yaml") == plan
    assert "validators" not in plan_text(plan_of(2)) and "validators" not in json.dumps(as_arguments(plan_of(2)))
    change = PlanPatch.model_validate({"change": [{"category": "c1", "validators": ["polite"]}], "validators": []})
    changed = patched(plan, change, {}).plan
    assert (changed.validators, changed.categories[1].validators) == ((), ("polite",))
    assert changed.categories[0] == plan.categories[0], "what is not named stays"
    assert changes(plan, changed) == ["~ c1: validators changed", "~ validators changed"]
    assert patched(plan, PlanPatch(counts={"c0": 5}), {}).plan.validators == ("short",)
    assert PlanPatch.between(plan, changed) == change and "validators" not in json.dumps(PlanPatch.model_json_schema())
    bare = plan_of(2, 3)
    assert "validators" not in bare.model_dump_json(), "a plan without any is written down as it always was"
    assert patched(plan, PlanPatch.between(plan, bare), {}).plan == bare
    added = plan_of(2, 3, 1, validators="short", own={0: ["polite", "short"], 2: "slots"})
    assert patched(plan, PlanPatch.between(plan, added), {}).plan == added


@pytest.mark.parametrize("wrong", [["a", "a"], {"a": 1}, [1], [""], 3, [["a"]]])
def test_what_is_no_list_of_names_is_refused(wrong: Any) -> None:
    for plan in ({"validators": wrong}, {"own": {0: wrong}}):
        with pytest.raises(PlanError, match="validators: .* — "):
            plan_of(2, **plan)


async def test_an_unknown_name_is_refused_where_a_plan_comes_in(
    packages: Path, make_config: Configs, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = plan_of(2, 1, validators="polite", own={1: ["short", "shrot"]})
    sentence = r"categories\[1\]\.validators: 'shrot' — there is no such validator; choose from ids, .*json_schema, chatty, .*polite, short"
    with pytest.raises(PlanError, match=sentence):
        await Session.create(wrong, make_config())
    async with await Session.create(plan_of(2), make_config()) as session:
        with pytest.raises(PlanError, match=sentence):
            await session.plans.revise(wrong)
        await session.plans.revise(plan_of(2, validators="short"))
        assert changes(plan_of(2), session.plan) == ["~ validators changed"]
    Path("plan.yaml").write_text(plan_text(wrong))
    assert main(["run", "plan.yaml", "--checkpoint-dir", "s"]) == ExitCode.BAD_INPUT
    assert "categories[1].validators: 'shrot'" in capsys.readouterr().err


async def test_a_session_opens_without_the_package_and_says_what_is_missing_when_it_runs(
    tmp_path: Path, make_config: Configs
) -> None:
    folder = install_plug_in(tmp_path / "site", "house-rules", {"house_rules": MODULE}, ENTRIES)
    config = make_config()
    with plugged_in(folder, VALIDATORS):
        async with await Session.create(plan_of(3, validators="polite"), config) as session:
            assert (await session.run()).state == "complete"
            await session.plans.revise(plan_of(4, validators="polite"))
    async with await Session.open(None, config) as session:
        assert len(await session.cases.page(0, 9)) == 3 and session.plan.validators == ("polite",)
        with pytest.raises(
            PlanError,
            match="validators: 'polite' — there is no such validator; choose from ids, .*json_schema, or take",
        ):
            await session.run()
        await session.plans.revise(plan_of(4))
        assert (await session.run()).accepted == 4


async def test_what_is_turned_away_is_written_again_with_the_reason(packages: Path, make_config: Configs) -> None:
    """And it is unknown to the comparison: the same text comes in when its expectation is right."""
    model = Writer(lambda category, ordinal, attempt: case(ordinal, polite=attempt > 0 or ordinal % 2 == 0))
    async with await Session.create(plan_of(6, validators=["polite", "slots"]), make_config(batch_size=6)) as session:
        result, told = await run(session, model)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 6, 0)
        rejected = [event for event in told if isinstance(event, CaseRejected)]
        assert {(event.stage, event.slot, event.nearest_case_id, event.score) for event in rejected} == {
            ("validators", slot, None, None) for slot in (1, 3, 5)
        }
        assert {event.reason for event in rejected} == {"polite: the answer need not be polite"}
        assert all(event.text.startswith("About ") for event in rejected)
        again = [wanted for request in model.asked for wanted in request.slots if wanted.attempt]
        assert {(w.slot.ordinal, w.critique) for w in again} == {
            (n, "polite: the answer need not be polite") for n in (1, 3, 5)
        }
        prompts = [request.prompt for request in model.asked]
        assert "turned away" not in prompts[0]
        assert sum(prompt.count("was turned away: polite: the answer need not be polite") for prompt in prompts) == 3
        assert (await session.summary()).rejections == {"validators": 3}
        (first, *_) = await session.rejections.newest()
        assert first.candidate and first.candidate["expectations"] == {"polite": False}, "so it can be kept after all"


async def test_the_reason_outlives_the_process_and_is_about_the_last_try(packages: Path, make_config: Configs) -> None:
    def table(category: str, ordinal: int, attempt: int) -> dict[str, Any]:
        if attempt == 2:
            raise EndpointRefused("The key is wrong.", "Mend it.")
        # first a fault; then, for slot 2, one of another kind
        return case(ordinal, polite=False) if attempt == 0 or ordinal == 1 else {"inputs": 7}

    config, plan = make_config(batch_size=2), plan_of(2, validators="polite")
    async with await Session.create(plan, config) as session:
        with pytest.raises(EndpointRefused):
            await session.run(Writer(table))
    model = Writer(lambda category, ordinal, attempt: case(ordinal, polite=True))
    async with await Session.open(None, config) as session:
        result, _ = await run(session, model)
        assert result.state == "complete"
    critiques = {w.slot.ordinal: w.critique for request in model.asked for w in request.slots}
    assert critiques == {
        1: "polite: the answer need not be polite", 2: "the field `query` of `inputs` is a number, not text",
    }  # fmt: skip


async def test_a_slot_that_never_passes_is_exhausted_with_the_reason(packages: Path, make_config: Configs) -> None:
    model = Writer(lambda category, ordinal, attempt: case(10 * attempt + ordinal, polite=ordinal > 1))
    async with await Session.create(plan_of(3, validators="polite"), make_config(max_attempts=3)) as session:
        result, told = await run(session, model)
        assert (result.state, result.accepted, result.exhausted) == ("short", 2, 1)
        (exhausted,) = [event for event in told if event.type == "slot_exhausted"]
        assert (
            exhausted.reason == "3 tries, the last one turned away at validators: polite: the answer need not be polite"
        )  # type: ignore[attr-defined]


async def test_of_several_candidates_the_first_that_passes_is_taken(packages: Path, make_config: Configs) -> None:
    def table(category: str, ordinal: int, attempt: int) -> dict[str, Any]:
        several = [{**case(10 * ordinal + n, polite=n == 2), "probability": n / 10} for n in range(1, 4)]
        return {"candidates": several if ordinal == 1 else several[:1]}

    plan = plan_of(2, validators=["polite", "short"])
    async with await Session.create(plan, make_config(candidates_per_slot=3, max_attempts=2)) as session:
        result, told = await run(session, Writer(table))
        assert (result.accepted, result.exhausted) == (1, 1)
        (accepted,) = await session.cases.page(0, 9)
        assert accepted.inputs == case(12)["inputs"]
        rejected = [event for event in told if isinstance(event, CaseRejected)]
        assert [event.slot for event in rejected].count(1) == 2 and {event.stage for event in rejected} == {
            "validators"
        }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fragile", r"failed: KeyError: 'the rules'"),
        ("chatty", r"failed: TypeError: it answered bool, neither a reason nor"),
    ],
)
async def test_one_that_fails_pauses_the_run_and_costs_no_case(
    name: str, words: str, packages: Path, make_config: Configs
) -> None:
    (packages / "broken").touch()
    model = Writer(lambda category, ordinal, attempt: case(ordinal + 6 * (category == "c1"), polite=True))
    plan, config = plan_of(4, 4, own={1: ["polite", name]}), make_config(batch_size=4, max_workers=2)
    async with await Session.create(plan, config) as session:
        result, told = await run(session, model)
        assert (result.state, result.accepted, result.exhausted) == ("paused", 4, 0)
        (paused,) = [event for event in told if isinstance(event, RunPaused)]
        assert paused.cause is PauseCause.PLUG_IN and not paused.cause.wanted
        assert f"The validator '{name}' of the package house-rules" in paused.reason
        notices = [event.text for event in told if isinstance(event, Notice)]
        assert len(notices) == 1 and "The run pauses." in notices[0], "it is said once"
        assert re.search(words, notices[0])
        assert (await session.summary()).rejections == {}, "nobody has judged them"
        (packages / "broken").unlink()
        await session.plans.revise(plan_of(4, 4, own={1: ["polite", "fragile"]}))
        result, _ = await run(session, model)
        assert (result.state, result.accepted) == ("complete", 8)


async def test_one_that_cannot_be_loaded_stops_a_run_before_it_begins(packages: Path, make_config: Configs) -> None:
    async with await Session.create(plan_of(2, validators="gone"), make_config()) as session:
        with pytest.raises(PlugInBroken, match="validator 'gone' of the package house-rules cannot be loaded"):
            await session.run()
        assert session.id and not session.was_started


async def test_the_dataset_does_not_hang_on_the_number_of_workers(packages: Path, make_config: Configs) -> None:
    plan, found = plan_of(30, validators="short", description="Parcels"), []
    for workers in (1, 8):
        config = make_config(max_workers=workers, checkpoint_dir=f"of_{workers}", provider="offline", max_attempts=20)
        async with await Session.create(plan, config) as session:
            await session.run()
            assert (await session.summary()).rejections["validators"] > 0
            found.append([(case.case_id, case.inputs) for case in await session.cases.page(0, 99)])
    assert found[0] == found[1]
    assert found[0] and all(len(inputs["query"].split()) <= 12 for _, inputs in found[0])


def test_it_is_seen_wherever_rejections_are(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.yaml").write_text(plan_text(plan_of(6, validators="short", description="Parcels")))
    place = ("--checkpoint-dir", "s")
    assert main(["run", "plan.yaml", "--json", *place]) in (ExitCode.COMPLETE, ExitCode.SHORT)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    turned = [event for event in events if event["type"] == "case_rejected" and event["stage"] == "validators"]
    assert turned and all("words are more than 12" in event["reason"] for event in turned)
    main(["show", *place])
    shown = capsys.readouterr().out
    assert f"validators {len(turned)}" in shown and "validators: short: " in shown


def test_where_all_are_off_there_is_nothing_to_do() -> None:
    assert Validation(plan_of(2, validators="-all")).is_empty
    assert not Validation(plan_of(2)).is_empty, "some are on by default"
    assert not Validation(plan_of(2, validators=["-all", {"length": {"max": 9}}])).is_empty


def names(plan: DatasetPlanInput, category: int = 0) -> set[str]:
    return {choice.name for choice in choices_of(plan, plan.categories[category])}


def test_a_plan_turns_defaults_off_and_sets_others() -> None:
    default = set(BY_DEFAULT)
    assert names(plan_of(2)) == default
    plan = plan_of(2, 2, 2, 2, validators=["-placeholders", {"length": {"max": 40}}],
                   own={0: "placeholders", 1: {"length": {"max": 9}}, 2: ["-length", "-ids"], 3: ["-all", "tools"]})  # fmt: skip
    assert names(plan, 0) == default | {"length"}
    assert names(plan, 1) == default - {"placeholders"} | {"length"}
    assert names(plan, 2) == default - {"placeholders", "ids"}
    assert names(plan, 3) == {"tools"}
    assert [choice.options for choice in choices_of(plan, plan.categories[1]) if choice.options] == [{"max": 9}]
    assert parse_plan(json.loads(plan.model_dump_json())) == parse_plan(as_arguments(plan)) == plan
    assert patched(plan_of(2), PlanPatch.between(plan_of(2), plan_of(2, validators="-ids")), {}).plan.validators == (
        "-ids",
    )
    text = plan_text(plan)
    assert "-placeholders" in text and parse_plan(yaml.safe_load(text)) == plan


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"length": {}}, "length: needs a bound"),
        ({"length": {"max": 0}}, "length: max"),
        ({"length": {"most": 4}}, "length: most"),
        ({"length": {"min": 9, "max": 3}}, "allows at most 3 and asks for at least 9"),
        ({"length": {"max": 9, "field": "text"}}, "no field 'text', only query"),
        ({"patterns": {"must": ["("]}}, "is no regular expression"),
        ({"patterns": {"must": []}}, "needs a pattern"),
        ({"json_schema": {"expectations": {"a": {"type": "text"}}}}, "the schema of 'a' is none"),
        ({"language": {"of_input": "Klingon"}}, "is no language that can be told"),
        ({"tools": {"known": {"a": ["b c d"]}}}, "'b c d' is no parameter"),
        ({"placeholders": {"a": 1}}, "placeholders: takes no settings"),
        ("length", "length: needs a bound"),
        ("-lenght", "'lenght' — there is no such validator"),
    ],
)
async def test_what_does_not_fit_is_refused_with_what_helps(wrong: Any, words: str, make_config: Configs) -> None:
    with pytest.raises(PlanError, match=re.escape(words)):
        await Session.create(plan_of(2, own={0: wrong}), make_config())


async def test_a_default_turns_a_case_away_and_the_writer_is_told(make_config: Configs) -> None:
    def table(category: str, ordinal: int, attempt: int) -> dict[str, Any]:
        written = case(ordinal, polite=True)
        if attempt == 0:
            written["inputs"]["query"] += " It is order [order number]."
        return written

    model = Writer(table)
    async with await Session.create(plan_of(3), make_config(batch_size=3)) as session:
        result, told = await run(session, model)
        assert (result.state, result.accepted) == ("complete", 3)
        assert {event.stage for event in told if isinstance(event, CaseRejected)} == {"validators"}
    critiques = {wanted.critique for request in model.asked for wanted in request.slots if wanted.attempt}
    assert critiques == {
        "placeholders: [order number] in the input is a placeholder; write what a person would have written there"
    }
    async with await Session.create(
        plan_of(3, validators="-placeholders"), make_config(checkpoint_dir="off")
    ) as session:
        result, told = await run(session, Writer(table))
        assert result.accepted == 3 and not [event for event in told if isinstance(event, CaseRejected)]


@pytest.mark.parametrize("example", ["customer_service", "travel_assistant"])
async def test_nothing_that_the_built_in_writer_writes_is_turned_away(example: str, make_config: Configs) -> None:
    plan = load_plan(Path(examples.__file__).with_name(f"{example}.yaml"))
    plan = parse_plan({**plan.model_dump(mode="json", exclude={"total_instances"}), "categories": [
        {**category.model_dump(mode="json"), "count": min(category.count, 30)} for category in plan.categories
    ]})  # fmt: skip
    async with await Session.create(plan, make_config(provider="offline")) as session:
        result = await session.run()
        assert result.state == "complete"
        assert "validators" not in (await session.summary()).rejections


TARGET_TOOLS = {"lookup_order": ["order_id: str"], "convert": {"parameters": {"properties": {
    "unit": {"enum": ["km", "mi"]}, "exact": {"type": "boolean"}}, "required": ["unit"]}}}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"name": "lookup_order", "arguments": {"order_id": "71918"}}, None),
        ({"name": "lookup_order"}, None),
        ({"name": "convert", "arguments": {"unit": "km"}}, None),
        ({"name": "convert", "arguments": {"unit": "mi", "exact": True}}, None),
        ({"name": "open_gate"}, "there is no tool 'open_gate'"),
        ({"name": "lookup_order", "arguments": {"order": "71918"}}, "needs the argument order_id"),
        ({"name": "lookup_order", "arguments": {"order_id": "71918", "day": 1}}, "takes no argument 'day'"),
        ({"name": "convert", "arguments": {"exact": True}}, "needs the argument unit"),
        ({"name": "convert", "arguments": {"unit": "ft"}}, "must be one of km, mi"),
        ({"name": "convert", "arguments": {"unit": "km", "exact": "no"}}, "must be true or false"),
    ],
)
def test_tool_calls_are_held_to_the_plans_target(call: dict[str, Any], reason: str | None) -> None:
    plan = parse_plan(
        {
            "dataset_name": "d",
            "target": {"tools": TARGET_TOOLS},
            "categories": [{"name": "c", "count": 1, "write": "expected_tool_calls"}],
        }
    )
    validation = Validation(plan)
    case = validation.case(Slot("c", 1), {"query": "Order 71918 in km, on day 1"}, {"expected_tool_calls": [call]})
    fault = validation.fault(case)
    assert fault is None if reason is None else fault is not None and reason in fault
