"""Flags of accepted cases: seen in the list, told in the detail, followed to the case they name."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.events import CaseAccepted
from dsbuilder_tui.settings.stack import load_config
from tests.support.likeness import accept
from tests.support.studio import NARROW, Desk, covers, studio

C = "refunds"


def flag(kind: str, ordinal: int, stage: str = "semantic", score: float = 0.93, *differs: str) -> dict[str, Any]:
    return {"kind": kind, "case_id": f"{C}-{ordinal:05d}", "stage": stage, "score": score, "differs": list(differs)}


async def with_flags() -> None:
    category = DatasetCategory(name=C, count=20, example_inputs="Give me 5 euros back", expectations={"polite": True})
    async with await Session.create(
        DatasetPlanInput(dataset_name="flags", categories=[category]), load_config()
    ) as session:
        texts = ["Give me 5 euros back", "Nothing like it", "Give me 50 euros back", "Give me five euros", "Stop"]
        await accept(
            session, C, texts, flags=[[], [], [flag("contrast", 1, "semantic", 0.93, "quantity")],
            [flag("similar", 1, "semantic", 0.88), flag("contradiction", 3, "structural", 1.0)], [flag("contrast", 9)]],
        )  # fmt: skip


async def shown(desk: Desk, count: int = 5) -> None:
    await desk.to_work()
    await desk.press("f2")
    await desk.at("CasesScreen", "cases")
    await desk.until(lambda: desk.one("#cases").count == count and desk.one("#cases").chosen is not None)


def chosen(desk: Desk) -> int:
    case = desk.one("#cases").chosen
    return case.ordinal if case is not None else 0


@covers("Cases", "g")
async def test_flags_are_seen_filtered_and_followed() -> None:
    await with_flags()
    async with studio(open_first="flags") as desk:
        await shown(desk)
        await desk.sees("± contrast", "≠ contradiction")
        assert desk.text.count("± contrast") == 2 and "g go to the pair" not in desk.text
        await desk.press("f")
        await desk.sees("only flagged")
        await desk.press("down", "down", "enter")
        await desk.sees("3 cases · all categories · flagged")
        await desk.until(lambda: chosen(desk) == 3)
        await desk.sees("(0.93,", "the quantity differs", "g go to the pair")
        await desk.press("g")
        await desk.sees("2 cases · refunds-00003 and what it is close to", "esc back to all")
        await desk.until(lambda: chosen(desk) == 1)
        await desk.press("down", "escape")
        await desk.sees("3 cases · all categories · flagged")
        await desk.until(lambda: chosen(desk) == 3)
        await desk.press("down")
        await desk.until(lambda: chosen(desk) == 4)
        await desk.sees("≠ Contradiction: refunds-00003", "≈ Close to refunds-00001")
        await desk.press("g")
        await desk.at("QuestionDialog", "answers")
        await desk.sees("Contradiction: refunds-00003")
        await desk.press("down", "enter")
        await desk.until(lambda: desk.place == "CasesScreen" and chosen(desk) == 1)
        await desk.press("escape")
        await desk.until(lambda: chosen(desk) == 4)
        await desk.press("down")
        await desk.until(lambda: chosen(desk) == 5)
        await desk.press("g")
        await desk.until(lambda: "refunds-00009 is not there any more." in desk.told)
        await desk.press("escape")
        await desk.at("StudioScreen")


async def test_a_case_without_a_flag_says_so() -> None:
    await with_flags()
    async with studio(open_first="flags", size=NARROW) as desk:
        await shown(desk)
        await desk.sees("± contr")
        desk.app.screen.action_pair()  # type: ignore[attr-defined]
        await desk.until(lambda: "This case has no pair and no flag." in desk.told)


async def test_the_first_contradiction_of_a_run_is_told() -> None:
    await with_flags()
    async with studio(open_first="flags") as desk:
        await desk.at("StudioScreen", "prompt")
        for ordinal in (6, 7):
            desk.live.take(
                CaseAccepted(
                    ts=7.0, case_id=f"{C}-{ordinal:05d}", category=C, slot=ordinal, seq=99 + ordinal, batch=1, text="x",
                    accepted=ordinal, planned=20, flags=("similar", "contradiction"),
                )
            )  # fmt: skip
        message = await desk.said("has the same text as an earlier case, with other expectations")
        assert message.text.startswith(f"≠ {C}-00006")
        assert not [m for m in await desk.session.chat.messages() if f"{C}-00007" in m.text]
