"""The keys of the rejected screen, and of the strip on which a threshold is moved."""

from __future__ import annotations

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.settings.stack import load_config
from tests.support.likeness import accept, reject
from tests.support.studio import User, built, covers, studio

C, D = "category_1", "category_2"

# So narrow that the built-in writer repeats itself: the rejections of a run of this are real ones.
REPEATS = DatasetPlanInput(
    dataset_name="repeats",
    categories=[
        DatasetCategory(
            name=C, count=40, example_inputs="Stop it", attributes={"length": ("short",), "tone": ("neutral",)}
        )
    ],
)


def copied(user: User) -> str:
    return user.app.clipboard


async def rejected(user: User) -> int:
    await user.at("StudioScreen", "prompt")
    await user.press("f5")
    await user.at("RejectedScreen", "rejections")
    await user.until(lambda: user.one("#rejections").count > 0 and user.app.screen._facts is not None)  # type: ignore[attr-defined]
    return user.one("#rejections").count  # type: ignore[no-any-return]


@covers("Rejected", "f", "s", "slash", "y", "escape")
async def test_rejections_are_filtered_searched_and_copied() -> None:
    await built(REPEATS, max_attempts=2)
    async with studio(open_first="repeats") as user:
        count = await rejected(user)
        await user.sees(f"{count} rejected")
        await user.press("y")
        await user.until(lambda: "Copied" in user.told)
        assert copied(user) == user.one("#rejections").chosen.text
        await user.press("s")
        await user.at("QuestionDialog", "answers")
        stages = user.live.view.stages
        assert sum(stages.values()) == count and stages["structural"]
        await user.sees("all stages", *(f"{stage} ({stages.get(stage, 0)})" for stage in COMPARING_STAGES))
        await user.press("down", "enter")
        count = stages["structural"]
        await user.sees(f"{count} rejected · structural")
        await user.press("f")
        await user.at("QuestionDialog", "answers")
        await user.press("down", "enter")
        await user.sees(f"{count} rejected · {C} · structural")
        await user.press("slash")
        await user.at("RejectedScreen", "search")
        await user.write("zzz nothing is like this")
        await user.sees("Nothing matches.")
        await user.press("escape")
        await user.at("RejectedScreen", "rejections")
        await user.until(lambda: user.one("#rejections").count > 0)
        await user.press("escape")
        await user.at("StudioScreen")


@covers("Rejected", "k", "a")
async def test_a_rejection_is_kept_and_told_about() -> None:
    await built(REPEATS, max_attempts=1)
    async with studio(open_first="repeats") as user:
        await rejected(user)
        before = user.live.view.accepted
        rejection = user.one("#rejections").chosen
        while rejection.nearest_case_id is None:  # it repeats an example of the plan
            await user.press("down")
            rejection = user.one("#rejections").chosen
        assert rejection.candidate is not None
        await user.press("k")
        await user.until(lambda: "holds the rejected text now" in user.told)
        await user.until(lambda: user.live.view.accepted == before + 1)
        case = await user.session.cases.get(rejection.category, rejection.ordinal)
        assert case is not None and case.inputs == rejection.candidate["inputs"]
        entries = await user.session.cases.history(rejection.category, rejection.ordinal)
        assert [entry.kind for entry in entries] == ["kept_anyway"]
        await user.sees("It was kept after all", case.case_id)
        await user.press("a")
        await user.at("StudioScreen", "prompt")
        words = user.one("#prompt").text
        assert words.startswith("These two are different on purpose: “") and f"({rejection.nearest_case_id})" in words
        assert f"turned away for {rejection.category}-{rejection.ordinal:05d}, {rejection.stage}" in words
        assert words.endswith(f"Keep such pairs in {C}.")
        await cases(user, before + 1, rejection.ordinal)
        await user.sees("kept by you after a rejection")
        await user.press("d", "enter")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: user.one("#cases").count == before)
        await user.press("f5")
        await user.at("RejectedScreen", "rejections")
        await user.sees("You turned this case away.", "against it: you turned it")


async def cases(user: User, count: int, ordinal: int) -> None:
    """The list of cases, with one slot's case chosen."""
    await user.press("f2")
    await user.at("CasesScreen", "cases")
    rows = user.one("#cases")
    await user.until(lambda: rows.count == count and rows.chosen is not None)
    while rows.chosen.ordinal != ordinal:
        await user.press("down")


async def with_scores() -> None:
    """A session in which the semantic and the near stage have decided."""
    plan = DatasetPlanInput(
        dataset_name="scores",
        categories=[DatasetCategory(name=name, count=20, example_inputs="Where is it?") for name in (C, D)],
    )
    async with await Session.create(plan, load_config()) as session:
        kept = await accept(session, C, ["one", "two", "three"], semantic=[None, 0.87, 0.9])
        await accept(session, D, ["four"], semantic=[0.8])
        await reject(session, C, "structural", [1.0], nearest=kept[0], threshold=1.0, slot=8)
        await reject(session, D, "semantic", [0.97], nearest=kept[0], slot=9)
        await reject(session, C, "semantic", [0.93, 0.95, 0.98], nearest=kept[0], slot=9)


@covers("Rejected", "t")
@covers("Threshold what-if", "left", "h", "right", "l", "shift+left", "H", "shift+right", "L", "enter")
async def test_a_threshold_is_moved_and_asked_for() -> None:
    await with_scores()
    async with studio(open_first="scores") as user:
        assert await rejected(user) == 5
        await user.press("t")
        await user.at("RejectedScreen", "what-if")
        await user.sees("semantic threshold 0.92", "all categories", "At 0.92: 0 of 4 semantic rejections")
        for key, threshold, passing, falling in (
            ("right", 0.93, 0, 0), ("l", 0.94, 1, 0), ("shift+right", 0.99, 4, 0), ("left", 0.98, 3, 0), ("h", 0.97, 2, 0),
            ("shift+left", 0.92, 0, 0), ("H", 0.87, 0, 2), ("L", 0.92, 0, 0), ("L", 0.97, 2, 0), ("L", 1.0, 4, 0),
            ("L", 1.0, 4, 0), ("h", 0.99, 4, 0),
        ):  # fmt: skip
            await user.press(key)
            await user.until(lambda t=threshold: user.one("#what-if").found.threshold == t)  # type: ignore[misc]
            found = user.one("#what-if").found
            assert (found.passing, found.falling) == (passing, falling), threshold
        await user.sees(
            "0.92 → 0.99", "4 of 4 semantic rejections would have passed", "category_1-00009", "≈ category_1-00001"
        )
        await user.press("escape")
        await user.at("RejectedScreen", "rejections")
        assert not user.one("#what-if").display and user.one("#why").display
        await user.press("t")
        await user.sees("0.92   all categories")
        await user.press("f", "down", "down", "enter")
        await user.at("RejectedScreen", "rejections")
        assert not user.one("#what-if").display
        await user.sees("1 rejected · category_2")
        await user.press("t", "right", "right")
        await user.sees("0.92 → 0.94", "At 0.94: 0 of 1 semantic rejection of category_2 would")
        await user.press("enter")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "Set the semantic threshold to 0.94 in category_2"


async def test_the_numbers_follow_what_is_decided_meanwhile() -> None:
    await with_scores()
    async with studio(open_first="scores") as user:
        await rejected(user)
        await user.press("t", "l", "l")
        await user.sees("At 0.94: 1 of 4 semantic rejections")
        kept = await user.session.cases.get(C, 1)
        assert kept is not None
        (new,) = await reject(user.session, C, "semantic", [0.925], nearest=kept, slot=12)
        user.live.take(
            CaseRejected(
                ts=7.0, category=C, slot=12, seq=new.seq, batch=1, stage="semantic", reason="", text=new.text, attempt=1,
                score=0.925, threshold=0.92, nearest_case_id=kept.case_id,
            )
        )  # fmt: skip
        await user.sees("At 0.94: 2 of 5 semantic rejections")


async def test_a_structural_repeat_has_no_threshold() -> None:
    await built(REPEATS, max_attempts=1)
    async with studio(open_first="repeats") as user:
        await rejected(user)
        await user.press("s", "down", "enter")
        await user.until(lambda: user.app.screen._shown.stage == "structural")  # type: ignore[attr-defined]
        await user.sees("rejected · structural")
        await user.press("t")
        await user.at("RejectedScreen", "what-if")
        await user.sees("Structural repeats have no threshold")
        await user.press("right", "enter")
        assert user.place == "RejectedScreen" and user.one("#what-if").found is None
        await user.press("escape")
        await user.misses("have no threshold")


async def test_long_texts_show_what_differs() -> None:
    plan = DatasetPlanInput(
        dataset_name="long",
        categories=[DatasetCategory(name=C, count=9, example_inputs={"messages": [], "channel": "x"})],
    )
    story = " ".join(f"word{n}" for n in range(300))
    async with await Session.create(plan, load_config()) as session:
        turns = [{"role": "user", "content": f"{story} {{}}"}, {"role": "assistant", "content": "I will look."}]

        def talk(end: str) -> dict[str, object]:
            first = {"role": "user", "content": f"{story} {end}"}
            return {"messages": [first, turns[1]], "channel": "chat"}

        (kept,) = await accept(session, C, ["x"])
        await session.cases.edit(C, 1, talk("by Monday"), {"polite": True})
        await reject(session, C, "near", [0.97], nearest=kept, slot=2, inputs=talk("by Friday"))
    async with studio(open_first="long") as user:
        await rejected(user)
        text = await user.sees("words alike ⋯", "Friday", "Monday", "assistant: I will look.", "channel: chat")
        assert "word150" not in text and "word299" in text
