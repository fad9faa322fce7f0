"""Exhausted slots come to the agent with options that have their numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.agent.exhausted_options import ExhaustedTally, LostSlots
from dsbuilder_tui.agent.monitor import Monitor, Note, NoteKind, with_facts
from dsbuilder_tui.domain.events import Event
from tests.agent.test_tools import finished, steps, used
from tests.support.studio import Scripted
from tests.support.talking import asked, talking, tools_used

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
ECHO = "Where is my parcel?"


def plan(**more: object) -> DatasetPlanInput:
    axes = {"tone": ("polite", "angry", "formal"), "length": ("short",)}
    narrow = DatasetCategory(
        name="parcels", count=12, example_inputs="Can I still change the address?", attributes=axes
    )
    return DatasetPlanInput(dataset_name="shop", categories=[narrow])


async def notes_of(config: DatasetBuilderConfig, model: Scripted) -> tuple[list[Note], list[Note]]:
    """All notes of a run, and the same with the facts that the session knows at its end."""
    watch, found = Monitor(), []

    def heard(event: Event) -> None:
        if (note := watch.feed(event)) is not None:
            found.append(note)

    async with await Session.create(plan(), config) as session:
        session.subscribe(heard)
        await session.run(model)
        return found, [await with_facts(note, session) for note in found]


async def test_what_is_exhausted_comes_with_three_options(make_config: Configs) -> None:
    plain, whole = await notes_of(make_config(max_attempts=2), Scripted(echo=ECHO))
    assert {note.kind for note in plain} == {"exhausted", "finished"} and not any(note.proposals for note in plain)
    for note in (whole[-2], whole[-1]):
        (proposal,) = note.proposals
        assert proposal.category == "parcels" and proposal.counts == {"parcels": 1}
        axis, examples, fewer = proposal.options
        assert axis == "A new value for the axis length, which has only short, for instance medium."
        told_of = re.search(
            r"tries came too close to (parcels-\d+) \(“Where is my parcel\?”\); show some unlike it\.", examples
        )
        assert told_of is not None, examples
        assert fewer == "Fewer cases: 1 in place of 12, which is what it can reach now."
        assert f"were turned away as structural repeats, most often against {told_of[1]} (" in note.said
        assert note.hint.startswith("For parcels: 1. A new value") and "/retry" in note.hint
        told = json.loads(note.text().removeprefix("[dsbuilder] "))
        assert told["proposals"] == [
            {"category": "parcels", "options": list(proposal.options), "counts": {"parcels": 1}}
        ]
    end = whole[-1]
    assert end.kind == "finished" and "Of 22 tries in parcels 22 were turned away" in end.said
    assert "11 slots exhausted." in end.said


async def test_a_note_about_nothing_lost_is_as_it_was(make_config: Configs) -> None:
    _, (end,) = await notes_of(make_config(), Scripted())
    assert end.kind == "finished" and not end.proposals and "proposals" not in end.text()


async def test_what_the_plan_has_settled_since_is_not_proposed(make_config: Configs) -> None:
    lost = (LostSlots("parcels", 3, {"structural": 6}, {"parcels-00001": 6}), LostSlots("gone", 1, {"schema": 2}, {}))
    async with await Session.create(plan(), make_config()) as session:
        assert (await with_facts(Note(NoteKind.EXHAUSTED, "So.", "This.", lost), session)).hint == "This."


def test_tries_of_slots_that_were_filled_after_all_do_not_count() -> None:
    losses = ExhaustedTally()
    for slot in (1, 2, 3):
        losses.rejected("a", slot, "near", "a-00009")
        losses.rejected("a", slot, "semantic", "a-00008")
    losses.rejected("b", 1, "schema", None)
    losses.accepted("a", 1)
    losses.exhausted("b", 1)
    for slot in (2, 3):
        losses.rejected("a", slot, "semantic", "a-00008")
        losses.exhausted("a", slot)
    first, second = losses.all()
    assert first == LostSlots("a", 2, {"semantic": 4, "near": 2}, {"a-00008": 4, "a-00009": 2})
    assert (
        first.words()
        == "Of 6 tries in a 4 were turned away as semantic repeats, most often against a-00008 (4) and a-00009 (2)."
    )
    assert second.words() == "Of 1 try in b 1 was turned away (schema)."
    assert LostSlots("c", 1, {}, {}).words() == ""


async def test_exhausted_slots_are_tried_again(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(max_attempts=1, confirm_cases=2)
    await finished(config, make_plan(4, name="shop"), Scripted(echo="again"))
    async with talking(config, *steps(("retry_exhausted", {}), ("retry_exhausted", {})), reference="shop") as talk:
        assert asked(await talk.say("try them again")) == ["retry_exhausted"], "more than the limit"
        waiting = await talk.conversation.waiting()
        assert waiting is not None and "Write 3 cases" in waiting.request.text
        (ended,) = tools_used(await talk.answer(True))
        assert json.loads(ended.answer)["said"] == "3 exhausted slots are open again; the workers are at them."
        await talk.host.wait()
        assert (await talk.session.summary()).instances_created == 4
        assert (await used(talk))["said"] == "No slot is exhausted; all cases are there."
