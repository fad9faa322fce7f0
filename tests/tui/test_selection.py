"""The selection follows the item, not the row: in every list, whatever is filtered, sorted, added, taken away or brought back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.tui.widgets.rows import RowList
from tests.support.likeness import reject
from tests.support.studio import User, built, studio

Step = Callable[[User], Awaitable[None]]


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
    async def press(user: User) -> None:
        for key in pressed:
            await user.press(key)
            await user.pilot.pause()

    return press


def words(text: str) -> Step:
    async def write(user: User) -> None:
        await user.write(text)
        await user.pilot.pause()

    return write


async def another_session(user: User) -> None:
    await built(plan("zulu_alpha"), until=1)
    count = user.one("#session-list").count
    await user.press("ctrl+r")
    await user.until(lambda: user.one("#session-list").count == count + 1)


async def one_deleted(user: User) -> None:
    """Another one, which is fetched back afterwards: the selection is on what was chosen in between."""
    rows = user.one("#session-list")
    place = rows.cursor
    rows.move_to(0 if place else 1)
    await user.press("delete")
    await user.at("QuestionDialog")
    count = rows.count
    await user.press("enter")
    await user.until(lambda: rows.count == count - 1)
    rows.move_to(place - (1 if place else 0))
    await user.press("u")
    await user.until(lambda: rows.count == count)


async def more_rejections(user: User) -> None:
    case = (await user.session.cases.page(0, 1))[0]
    count = user.one("#rejections").count
    for new in await reject(user.session, "orders", "semantic", [0.93, 0.94, 0.95], nearest=case):
        user.live.take(
            CaseRejected(
                ts=7.0, category="orders", slot=1, seq=new.seq, batch=1, stage="semantic", reason="", text=new.text,
                attempt=1, score=0.93, threshold=0.92, nearest_case_id=case.case_id,
            )
        )  # fmt: skip
    await user.until(lambda: user.one("#rejections").count in (count, count + 3))


async def more_calls(user: User) -> None:
    count = user.one("#calls").count
    for case in await user.session.cases.page(0, 3):
        await user.session.cases.withdraw(case.category, case.ordinal, "dull")
    await user.live.reread()
    user.live.start()
    await user.until(lambda: user.one("#calls").count > count and not user.live.running)


async def more_checkpoints(user: User) -> None:
    screen: Any = user.app.screen
    count = len(screen.lines[0].points)
    user.live.note_point(await user.session.checkpoints.save("one more"))
    await user.until(lambda: len(screen.lines[0].points) == count + 1)


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
    async with studio(open_first=None if name == "home" else "alpha_one") as user:
        if name != "home":
            await user.at("StudioScreen", "prompt")
            await user.press(key)
            await user.until(lambda: user.place != "StudioScreen")
        if selector:
            rows: RowList = user.one(selector)
            await user.until(lambda: rows.count >= 4 and chosen(user.app.screen) is not None)
        await user.press("home", *(("down", "down") if selector else ("right",)))
        if name == "home":
            while chosen(user.app.screen) != "beta_alpha":
                rows.move_to((rows.cursor + 1) % rows.count)
        if name in ("cases", "rejected"):  # one of the category that is filtered for
            await user.until(lambda: rows.chosen is not None)  # type: ignore[attr-defined]
            while rows.chosen.category != "orders":  # type: ignore[attr-defined]
                await user.press("down")
                await user.until(lambda: rows.chosen is not None)  # type: ignore[attr-defined]
        await user.until(lambda: chosen(user.app.screen) is not None)
        before = chosen(user.app.screen)
        for number, step in enumerate(steps):
            await step(user)
            if name == "home" and number == 4:
                continue  # nothing is listed
            await user.until(lambda: chosen(user.app.screen) == before)
            await user.pilot.pause()
            assert chosen(user.app.screen) == before, (name, number)
            if name in ("cases", "rejected"):

                async def there() -> bool:
                    item = await rows._fetch(rows.cursor, 1)  # type: ignore[attr-defined]
                    return [rows._key(found) for found in item] == [before]  # type: ignore[attr-defined]

                await user.until_async(there)
