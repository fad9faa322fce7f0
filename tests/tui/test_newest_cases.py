"""The newest cases beside the conversation: they stream in, stand still once one is chosen, and can be acted on there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.events import CaseAccepted, CaseRejected
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.paint.line import length
from dsbuilder_tui.tui.replay_session import ReplaySession
from dsbuilder_tui.tui.studio.newest_cases import NewestCases
from dsbuilder_tui.tui.studio.newest_paint import FLASH, columns_of, mingled, turned_line
from dsbuilder_tui.view import RunView, Turned
from tests.support.hostile import EVIL, FORBIDDEN
from tests.support.studio import NARROW, WIDE, Scripted, User, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
LARGE = (200, 50)
SIZES = pytest.mark.parametrize("size", [LARGE, WIDE, NARROW], ids=["large", "wide", "narrow"])


def newest(user: User) -> NewestCases:
    return user.one("#panel-cases")  # type: ignore[no-any-return]


def shown(user: User) -> list[AcceptedCase]:
    return [row for row in newest(user)._rows if isinstance(row, AcceptedCase)]


async def to_list(user: User) -> None:
    """Go to the list as a person does, with Tab."""
    while user.focus != "panel-cases":
        before = user.focus
        await user.press("tab")
        await user.until(lambda before=before: user.focus != before)


async def chosen(user: User) -> AcceptedCase:
    await user.until(lambda: isinstance(newest(user).chosen, AcceptedCase))
    case = newest(user).chosen
    assert isinstance(case, AcceptedCase)
    return case


@asynccontextmanager
async def finished(plan: DatasetPlanInput, size: tuple[int, int]) -> AsyncIterator[User]:
    """A session that was run to its end, opened, with the keys in the list."""
    await built(plan)
    async with studio(size=size, open_first="support") as user:
        await user.to_work()
        await to_list(user)
        await chosen(user)
        yield user


@SIZES
async def test_a_finished_session_shows_what_it_made(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(12, 8), size) as user:
        on_disk = await user.session.cases.page(0, 20, newest_first=True)
        assert [case.seq for case in shown(user)] == [case.seq for case in on_disk], "the newest first"
        text = await user.sees("Cases 20")
        for case in on_disk[:8]:
            assert f"#{case.ordinal} {case.category}" in text and display_text(case.inputs)[:16] in text
        if size != NARROW:
            assert user.one("#panel-workers").size.height == 1, "nobody works any more"


@SIZES
async def test_cases_stream_in_and_no_key_acts_on_what_moves(make_plan: Plans, size: tuple[int, int]) -> None:
    model = Scripted(hold=2)
    async with studio(size=size, model=model) as user:
        await begin(user, make_plan(120))
        await user.press("ctrl+p")
        await user.until(lambda: user.live.view.accepted > 0)
        await to_list(user)
        await user.until(lambda: len(shown(user)) == user.live.view.accepted)
        await user.sees("↓ choose one")
        await user.press("p", "d", "e")
        await user.pilot.pause()
        assert user.place == "StudioScreen" and user.focus == "panel-cases" and newest(user).chosen is None
        await user.misses("p pin")
        assert user.one("#prompt").text == ""
        assert not any(case.tags.get("pinned") for case in await user.session.cases.page(0, 100))
        before = user.live.view.accepted
        model.gate.set()
        await user.until(lambda: user.live.view.accepted > before and shown(user)[0].seq > 0)
        await user.state("finished")
        await user.until(lambda: shown(user) and len(shown(user)) <= newest(user).size.height + 20)
        first = (await user.session.cases.page(0, 1, newest_first=True))[0]
        await user.until(lambda: shown(user)[0].seq == first.seq)


async def test_a_key_before_the_cases_are_read_does_not_hold_the_list_without_them(
    make_plan: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was turned away is known at once, the cases are read: nothing is chosen before they are there."""
    read, reading = asyncio.Event(), NewestCases._read_newest

    async def reads_late(rows: NewestCases) -> None:
        await read.wait()
        await reading(rows)

    monkeypatch.setattr(NewestCases, "_read_newest", reads_late)
    async with studio(size=WIDE, model=Scripted(hold=2, echo="The same once more")) as user:
        await begin(user, make_plan(120))
        await user.press("ctrl+p")
        await user.until(lambda: user.live.view.accepted and user.live.view.feed)
        await to_list(user)
        await user.press("down", "down")
        assert newest(user).chosen is None
        read.set()
        await user.until(lambda: shown(user))
        await user.press("down")
        await user.until(lambda: newest(user).chosen is not None and shown(user))


async def test_what_comes_is_drawn_with_the_panels_in_one_frame(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    async with studio(size=WIDE, model=model) as user:
        await begin(user, make_plan(200))
        rows, screen, live = newest(user), user.app.screen, user.live
        repaint, set_keys = screen.flush, rows.set_keys
        repainting, size = False, rows.size
        told: list[
            bool
        ] = []  # of each time that the rows are shown in a run: whether all of the screen is repainted then

        def watched_repaint() -> None:
            nonlocal repainting
            repainting = True
            repaint()
            repainting = False

        def watched_keys(keys: Sequence[int], *, cursor: int | None = None) -> None:
            nonlocal size
            if live.view.busy and rows.size == size:
                told.append(repainting)
            size = rows.size
            set_keys(keys, cursor=cursor)

        screen.flush, rows.set_keys = watched_repaint, watched_keys
        await user.press("ctrl+p")
        await user.until(lambda: len(shown(user)) > 2 and told)
        model.gate.set()
        await user.state("finished")
        assert all(told)
        first = (await user.session.cases.page(0, 1, newest_first=True))[0]
        await user.until(lambda: shown(user)[0].seq == first.seq)


@SIZES
async def test_what_is_chosen_stands_still_while_more_come(make_plan: Plans, size: tuple[int, int]) -> None:
    model = Scripted(hold=2)
    async with studio(size=size, model=model) as user:
        await begin(user, make_plan(200))
        await user.press("ctrl+p")
        await user.until(lambda: user.live.view.accepted > 2)
        await to_list(user)
        await user.until(lambda: len(shown(user)) > 2)
        await user.press("down")
        case, rows = await chosen(user), [one.seq for one in shown(user)]
        model.gate.set()
        await user.until(lambda: user.live.view.accepted > len(rows) + 20)
        await user.sees("newer")
        assert newest(user).chosen == case and [one.seq for one in shown(user)] == rows
        await user.state("finished")
        assert newest(user).chosen == case, "the end of the run takes nothing away, too"
        await user.press("home")
        await user.until(lambda: shown(user)[0].seq > rows[0])
        await user.misses("newer")


@SIZES
@covers("Newest cases", "p", "d", "e", "escape")
async def test_cases_are_acted_on_where_they_are_seen(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(12), size) as user:
        await user.press(*["down"] * 5)  # below what is told at the top
        await user.until(lambda: newest(user).cursor == 5)
        case = await chosen(user)
        await user.press("p")
        await user.until(lambda: (row := newest(user).chosen) is not None and row.seq == case.seq and row != case)
        assert "★" in await user.sees("★")
        await user.press("d", "enter")
        await user.until(lambda: "is pinned" in user.told)
        await user.press("p")
        await user.misses("★")
        # Edited in the form of F2, and seen here when that is left.
        await user.press("e")
        await user.at("CasesScreen")
        await user.sees(f"editing {case.case_id}")
        await user.until(lambda: user.app.focused is not None and hasattr(user.app.focused, "text"))
        user.app.focused.text = "Where is the parcel with the blue ribbon?"  # type: ignore[union-attr]
        await user.press("ctrl+s")
        await user.until(lambda: not user.app.screen.has_class("-editing"))
        await user.press("escape")
        await user.at("StudioScreen", "panel-cases")
        await user.sees("✎ Where is the parcel")
        assert (await chosen(user)).seq == case.seq, "the selection is on its case"
        # Turned away, after a question: the next one is chosen.
        after = shown(user)[6]
        await user.press("d")
        await user.at("QuestionDialog", "answers")
        await user.press("down", "enter")
        await user.at("StudioScreen", "panel-cases")
        assert (await chosen(user)).seq == case.seq and len(await user.session.cases.page(0, 20)) == 12
        await user.press("d")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.until(lambda: len(shown(user)) == 11)
        assert (await chosen(user)).seq == after.seq
        assert case.case_id not in {one.case_id for one in await user.session.cases.page(0, 20)}
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


@SIZES
async def test_enter_opens_the_case_that_is_chosen(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(40), size) as user:
        await user.press(*["down"] * 7)
        case = await chosen(user)
        assert case.ordinal != 40
        await user.press("enter")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: (found := user.one("#cases").chosen) is not None and found.seq == case.seq)
        await user.sees("newest first", case.case_id)
        await user.press("escape")
        await user.at("StudioScreen", "panel-cases")
        assert (await chosen(user)).seq == case.seq


async def test_the_mouse_chooses_and_opens(make_plan: Plans) -> None:
    async with finished(make_plan(12), WIDE) as user:
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        await user.pilot.click("#panel-cases", (12, 4))  # a border is above the rows
        await user.at("StudioScreen", "panel-cases")
        await user.until(lambda: newest(user).cursor == 3)
        case = await chosen(user)
        await user.pilot.click("#panel-cases", (12, 4), times=2)
        await user.at("CasesScreen")
        await user.until(lambda: (found := user.one("#cases").chosen) is not None and found.seq == case.seq)


async def test_letters_typed_beside_the_list_are_text(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(size=LARGE, open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.until(lambda: shown(user))
        await user.write("deeply pleased: drop and pin the eldest")
        assert user.one("#prompt").text == "deeply pleased: drop and pin the eldest"
        assert user.place == "StudioScreen"


async def test_a_burst_is_read_once_and_rows_are_bounded(make_plan: Plans) -> None:
    """At a thousand cases a second the list is read once a repaint, and never more than can be seen and a few."""
    await built(make_plan(600))
    async with studio(size=WIDE, open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.until(lambda: shown(user))
        cases, read = user.session.cases, []
        page = cases.page

        async def counting(offset: int, limit: int, **more: Any) -> Sequence[AcceptedCase]:
            read.append(limit)
            return await page(offset, limit, **more)

        cases.page = counting  # type: ignore[method-assign]
        for number in range(3000):
            user.live.take(
                CaseAccepted(
                    ts=user.live.now(), case_id=f"category_1-{number:05d}", category="category_1", slot=number, seq=10_000 + number,
                    batch=1, text="x", accepted=600 + number, planned=4000,
                )
            )  # fmt: skip
        await user.until(lambda: read and not newest(user)._stale and not newest(user)._reading)
        await user.pilot.pause()
        most = newest(user).size.height + 20
        assert len(read) <= 3 and max(read) <= most, read
        assert len(newest(user)._rows) <= most and len(newest(user)._cases) <= most


def turned(seq: int, ts: float, **more: Any) -> Turned:
    given = {"category": "refunds", "stage": "structural", "reason": "the same", "text": "Give it back", "score": 1.0}
    return Turned(ts=ts, seq=seq, **{"nearest": "refunds-00143", **given, **more})


def case(seq: int, text: str = "Where is it?", category: str = "refunds", **tags: Any) -> AcceptedCase:
    return AcceptedCase(
        seq=seq, category=category, ordinal=seq, inputs={"query": text}, expectations={}, tags=tags, created_at=0.0,
        structure=seq, batch=1,
    )  # fmt: skip


def test_what_is_turned_away_flashes_among_the_cases_and_goes() -> None:
    cases = [case(seq) for seq in (9, 7, 5, 3)]
    running = RunView(state=RunState.RUNNING, feed=(turned(4, 90.0), turned(6, 99.0), turned(8, 99.5)))
    rows = [row.seq for row in mingled(cases, running, 100.0, 20, 20)]
    assert rows == [9, 8, 7, 6, 5, 3], "in the order of things, without what is over"
    assert [row.seq for row in mingled(cases, running, 99.5 + FLASH, 20, 20)] == [9, 7, 5, 3]
    at_rest = RunView(state=RunState.PAUSED, feed=running.feed)
    assert [row.seq for row in mingled(cases, at_rest, 100.0, 20, 20)] == [9, 7, 5, 3]
    storm = RunView(state=RunState.RUNNING, feed=tuple(turned(100 + n, 100.0) for n in range(90)))
    rows = mingled([case(seq) for seq in range(60, 0, -1)], storm, 100.0, 28, 8)
    assert len(rows) == 28 and sum(isinstance(row, Turned) for row in rows) <= 2, "the cases are not pushed out"


def test_a_flash_tells_what_it_repeats_or_the_critique() -> None:
    def words(row: Turned, width: int = 70) -> str:
        line = turned_line(row, width, columns_of([row, case(1)], width), 100.0)
        assert length(line) <= width
        return "".join(span[0] for span in line)

    assert "structural = #143  “Give it back”" in words(turned(4, 99.0))
    assert "semantic .94 ≈ #143" in words(turned(4, 99.0, stage="semantic", score=0.94))
    critique = turned(
        4, 99.0, stage="judge", nearest=None, score=None, reason="the quote is not in “Warranty, §2”", text=""
    )
    assert "judge: the quote is not in “Warranty, §2”" in words(critique)
    for width in range(6, 60):
        words(critique, width)


async def test_a_rejection_flashes_while_the_run_goes_on(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    async with studio(size=LARGE, model=model) as user:
        await begin(user, make_plan(40))
        await user.press("ctrl+p")
        await user.until(lambda: len(shown(user)) >= 2)
        near = shown(user)[-1]
        user.live.take(
            CaseRejected(
                ts=user.live.now() + 3600, category=near.category, slot=9, seq=near.seq + 500, batch=1, stage="structural",
                reason="the same", text="Said it before", attempt=1, score=1.0, threshold=1.0, nearest_case_id=near.case_id,
            )
        )  # fmt: skip
        text = await user.sees(f"structural = #{near.ordinal}", "“Said it before")
        assert "✗" in text
        assert newest(user)._repeated == {near.case_id}


@pytest.mark.parametrize("size", [LARGE, (100, 30), (60, 16)])
async def test_hostile_cases_are_text_here_too(make_plan: Plans, size: tuple[int, int]) -> None:
    await built(make_plan(3))
    async with studio(size=size, open_first="support") as user:
        user.app.get_line_filters = lambda: user.app._filters  # type: ignore[method-assign]  # without the net under all
        await user.to_work()
        await to_list(user)
        await user.until(lambda: newest(user).count == 3)
        rows = newest(user)
        flag = {"kind": "contrast", "case_id": f"{EVIL}-00002", "stage": "x", "score": 0.5, "differs": []}
        rows._rows = [
            case(90, f"first {EVIL}", category=EVIL, flags=[flag], pinned=True),
            case(80, EVIL, attributes={"tone": EVIL}),
            turned(70, 1e12, category=EVIL, text=EVIL, reason=EVIL, nearest=f"{EVIL}-00007", stage=EVIL),
            turned(60, 1e12, category=EVIL, text=EVIL, reason=EVIL, nearest=None),
        ]
        rows._lay_out(cursor=0)
        await user.sees("first")
        for strip in user.app.screen._compositor.render_strips(user.app.screen.size):
            for segment in strip:
                assert not FORBIDDEN.search(segment.text), segment.text
                assert not (segment.style and segment.style.meta.get("@click")) or not FORBIDDEN.search(
                    str(segment.style.meta["@click"])
                )


async def test_a_replay_shows_the_cases_as_they_came(make_plan: Plans) -> None:
    await built(make_plan(30))
    session = await Session.open(None, load_config())
    player = ReplaySession(session, SystemClock(), 0.1)
    player.halt(True)
    try:
        async with studio(size=LARGE, replay=player) as user:
            await user.at("StudioScreen", "panel-plan")
            await user.press("end")
            await user.sees("replay · end")
            await user.until(lambda: len(shown(user)) == 30)
            newest(user).focus()
            case = await chosen(user)
            await user.press("p", "d", "e")
            await user.pilot.pause()
            assert user.place == "StudioScreen" and newest(user).chosen == case
            await user.misses("p pin")
            await user.press("enter")
            await user.at("CasesScreen")
    finally:
        await player.close()
