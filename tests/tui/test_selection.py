"""The selection follows the item, not the row: in every list, whatever is filtered, sorted, added, taken away or brought back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.tui.widgets.rows import RowList
from tests.support.likeness import reject
from tests.support.studio import Desk, built, studio

Step = Callable[[Desk], Awaitable[None]]


def plan(name: str) -> DatasetPlanInput:
    """Two categories, narrow enough that some of what is written for them is turned away."""
    axes = {"length": ("short",), "tone": ("neutral",)}
    return DatasetPlanInput(
        dataset_name=name,
        categories=[
            DatasetCategory(name=category, count=40, example_inputs="Stop it", attributes=axes)
            for category in ("orders", "refunds")
        ],
    )


def keys(*pressed: str) -> Step:
    async def press(desk: Desk) -> None:
        for key in pressed:
            await desk.press(key)
            await desk.pilot.pause()

    return press


def words(text: str) -> Step:
    async def write(desk: Desk) -> None:
        await desk.write(text)
        await desk.pilot.pause()

    return write


async def another_session(desk: Desk) -> None:
    await built(plan("zulu_alpha"), until=1)
    count = desk.one("#session-list").count
    await desk.press("ctrl+r")
    await desk.until(lambda: desk.one("#session-list").count == count + 1)


async def one_deleted(desk: Desk) -> None:
    """Another one, which is fetched back afterwards: the selection is on what was chosen in between."""
    rows = desk.one("#session-list")
    place = rows.cursor
    rows.move_to(0 if place else 1)
    await desk.press("delete")
    await desk.at("QuestionDialog")
    count = rows.count
    await desk.press("enter")
    await desk.until(lambda: rows.count == count - 1)
    rows.move_to(place - (1 if place else 0))
    await desk.press("u")
    await desk.until(lambda: rows.count == count)


async def more_rejections(desk: Desk) -> None:
    case = (await desk.session.cases.page(0, 1))[0]
    count = desk.one("#rejections").count
    for new in await reject(desk.session, "orders", "semantic", [0.93, 0.94, 0.95], nearest=case):
        desk.live.take(
            CaseRejected(
                ts=7.0, category="orders", slot=1, seq=new.seq, batch=1, stage="semantic", reason="", text=new.text,
                attempt=1, score=0.93, threshold=0.92, nearest_case_id=case.case_id,
            )
        )  # fmt: skip
    await desk.until(lambda: desk.one("#rejections").count in (count, count + 3))


async def more_calls(desk: Desk) -> None:
    count = desk.one("#calls").count
    for case in await desk.session.cases.page(0, 3):
        await desk.session.cases.withdraw(case.category, case.ordinal, "dull")
    await desk.live.reread()
    desk.live.start()
    await desk.until(lambda: desk.one("#calls").count > count and not desk.live.running)


async def more_checkpoints(desk: Desk) -> None:
    screen: Any = desk.app.screen
    count = len(screen.lines[0].points)
    desk.live.note_point(await desk.session.checkpoints.save("one more"))
    await desk.until(lambda: len(screen.lines[0].points) == count + 1)


LISTS: dict[str, tuple[str, str, Callable[[Any], object], Sequence[Step]]] = {
    "home": (
        "", "#session-list", lambda screen: screen.chosen and screen.chosen.id,
        [keys("slash"), words("alpha"), keys("escape"), keys("slash"), words("none such"), keys("escape"),
         another_session, one_deleted],
    ),
    "cases": (
        "f2", "#cases", lambda screen: screen.chosen and screen.chosen.case_id,
        [keys("s"), keys("f", "down", "enter"), keys("s"), keys("f", "enter"), keys("slash"), words("orders"),
         keys("escape"), keys("s")],
    ),
    "rejected": (
        "f5", "#rejections", lambda screen: screen.rows.chosen and screen.rows.chosen.seq,
        [more_rejections, keys("f", "down", "enter"), more_rejections, keys("f", "enter"), more_rejections],
    ),
    "workers": (
        "f6", "#calls", lambda screen: screen.rows.chosen and screen.rows.chosen.batch,
        [more_calls, more_calls],
    ),
    "checkpoints": ("f4", "", lambda screen: screen.point and screen.point.id, [more_checkpoints, more_checkpoints]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
async def test_the_selection_follows_its_item(name: str) -> None:
    key, selector, chosen, steps = LISTS[name]
    for session in ("alpha_one", "beta_alpha", "gamma_alpha", "delta"):
        await built(plan(session), max_attempts=2, checkpoint_interval=10, until=0 if session == "alpha_one" else 1)
    async with studio(open_first=None if name == "home" else "alpha_one") as desk:
        if name != "home":
            await desk.at("StudioScreen", "prompt")
            await desk.press(key)
            await desk.until(lambda: desk.place != "StudioScreen")
        if selector:
            rows: RowList = desk.one(selector)
            await desk.until(lambda: rows.count >= 4 and chosen(desk.app.screen) is not None)
        await desk.press("home", *(("down", "down") if selector else ("right",)))
        if name == "home":
            while chosen(desk.app.screen) != "beta_alpha":
                rows.move_to((rows.cursor + 1) % rows.count)
        if name in ("cases", "rejected"):  # one of the category that is filtered for
            await desk.until(lambda: rows.chosen is not None)  # type: ignore[attr-defined]
            while rows.chosen.category != "orders":  # type: ignore[attr-defined]
                await desk.press("down")
                await desk.until(lambda: rows.chosen is not None)  # type: ignore[attr-defined]
        await desk.until(lambda: chosen(desk.app.screen) is not None)
        before = chosen(desk.app.screen)
        for number, step in enumerate(steps):
            await step(desk)
            if name == "home" and number == 4:
                continue  # nothing is listed
            await desk.until(lambda: chosen(desk.app.screen) == before)
            await desk.pilot.pause()
            assert chosen(desk.app.screen) == before, (name, number)
            if name in ("cases", "rejected"):

                async def there() -> bool:
                    item = await rows._fetch(rows.cursor, 1)  # type: ignore[attr-defined]
                    return [rows._key(found) for found in item] == [before]  # type: ignore[attr-defined]

                await desk.until_async(there)
