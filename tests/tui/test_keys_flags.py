"""Flags of accepted cases: seen in the list, told in the detail, followed to the case they name."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.events import CaseAccepted
from dsbuilder_tui.settings.stack import load_config
from tests.support.likeness import accept
from tests.support.studio import NARROW, User, covers, studio

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


async def shown(user: User, count: int = 5) -> None:
    await user.to_work()
    await user.press("f2")
    await user.at("CasesScreen", "cases")
    await user.until(lambda: user.one("#cases").count == count and user.one("#cases").chosen is not None)


def chosen(user: User) -> int:
    case = user.one("#cases").chosen
    return case.ordinal if case is not None else 0


@covers("Cases", "g")
async def test_flags_are_seen_filtered_and_followed() -> None:
    await with_flags()
    async with studio(open_first="flags") as user:
        await shown(user)
        await user.sees("± contrast", "≠ contradiction")
        assert user.text.count("± contrast") == 2 and "g go to the pair" not in user.text
        await user.press("f")
        await user.sees("only flagged")
        await user.press("down", "down", "enter")
        await user.sees("3 cases · all categories · flagged")
        await user.until(lambda: chosen(user) == 3)
        await user.sees("(0.93,", "the quantity differs", "g go to the pair")
        await user.press("g")
        await user.sees("2 cases · refunds-00003 and what it is close to", "esc back to all")
        await user.until(lambda: chosen(user) == 1)
        await user.press("down", "escape")
        await user.sees("3 cases · all categories · flagged")
        await user.until(lambda: chosen(user) == 3)
        await user.press("down")
        await user.until(lambda: chosen(user) == 4)
        await user.sees("≠ Contradiction: refunds-00003", "≈ Close to refunds-00001")
        await user.press("g")
        await user.at("QuestionDialog", "answers")
        await user.sees("Contradiction: refunds-00003")
        await user.press("down", "enter")
        await user.until(lambda: user.place == "CasesScreen" and chosen(user) == 1)
        await user.press("escape")
        await user.until(lambda: chosen(user) == 4)
        await user.press("down")
        await user.until(lambda: chosen(user) == 5)
        await user.press("g")
        await user.until(lambda: "refunds-00009 is not there any more." in user.told)
        await user.press("escape")
        await user.at("StudioScreen")


async def test_a_case_without_a_flag_says_so() -> None:
    await with_flags()
    async with studio(open_first="flags", size=NARROW) as user:
        await shown(user)
        await user.sees("± contr")
        user.app.screen.action_pair()  # type: ignore[attr-defined]
        await user.until(lambda: "This case has no pair and no flag." in user.told)


async def test_the_first_contradiction_of_a_run_is_told() -> None:
    await with_flags()
    async with studio(open_first="flags") as user:
        await user.at("StudioScreen", "prompt")
        for ordinal in (6, 7):
            user.live.take(
                CaseAccepted(
                    ts=7.0, case_id=f"{C}-{ordinal:05d}", category=C, slot=ordinal, seq=99 + ordinal, batch=1, text="x",
                    accepted=ordinal, planned=20, flags=("similar", "contradiction"),
                )
            )  # fmt: skip
        message = await user.said("has the same text as an earlier case, with other expectations")
        assert message.text.startswith(f"≠ {C}-00006")
        assert not [m for m in await user.session.chat.messages() if f"{C}-00007" in m.text]
