"""The newest cases beside the conversation: they stream in, stand still once one is chosen, and can be acted on there."""

from __future__ import annotations

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
from tests.support.studio import NARROW, WIDE, Desk, Scripted, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
LARGE = (200, 50)
SIZES = pytest.mark.parametrize("size", [LARGE, WIDE, NARROW], ids=["large", "wide", "narrow"])


def newest(desk: Desk) -> NewestCases:
    return desk.one("#panel-cases")  # type: ignore[no-any-return]


def shown(desk: Desk) -> list[AcceptedCase]:
    return [row for row in newest(desk)._rows if isinstance(row, AcceptedCase)]


async def to_list(desk: Desk) -> None:
    """Go to the list as a person does, with Tab."""
    while desk.focus != "panel-cases":
        before = desk.focus
        await desk.press("tab")
        await desk.until(lambda before=before: desk.focus != before)


async def chosen(desk: Desk) -> AcceptedCase:
    await desk.until(lambda: isinstance(newest(desk).chosen, AcceptedCase))
    case = newest(desk).chosen
    assert isinstance(case, AcceptedCase)
    return case


@asynccontextmanager
async def finished(plan: DatasetPlanInput, size: tuple[int, int]) -> AsyncIterator[Desk]:
    """A session that was run to its end, opened, with the keys in the list."""
    await built(plan)
    async with studio(size=size, open_first="support") as desk:
        await desk.to_work()
        await to_list(desk)
        await chosen(desk)
        yield desk


@SIZES
async def test_a_finished_session_shows_what_it_made(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(12, 8), size) as desk:
        on_disk = await desk.session.cases.page(0, 20, newest_first=True)
        assert [case.seq for case in shown(desk)] == [case.seq for case in on_disk], "the newest first"
        text = await desk.sees("Cases 20")
        for case in on_disk[:8]:
            assert f"#{case.ordinal} {case.category}" in text and display_text(case.inputs)[:16] in text
        if size != NARROW:
            assert desk.one("#panel-workers").size.height == 1, "nobody works any more"


@SIZES
async def test_cases_stream_in_and_no_key_acts_on_what_moves(make_plan: Plans, size: tuple[int, int]) -> None:
    model = Scripted(hold=2)
    async with studio(size=size, model=model) as desk:
        await begin(desk, make_plan(120))
        await desk.press("ctrl+p")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await to_list(desk)
        await desk.until(lambda: len(shown(desk)) == desk.live.view.accepted)
        await desk.sees("↓ choose one")
        await desk.press("p", "d", "e")
        await desk.pilot.pause()
        assert desk.place == "StudioScreen" and desk.focus == "panel-cases" and newest(desk).chosen is None
        await desk.misses("p pin")
        assert desk.one("#prompt").text == ""
        assert not any(case.tags.get("pinned") for case in await desk.session.cases.page(0, 100))
        before = desk.live.view.accepted
        model.gate.set()
        await desk.until(lambda: desk.live.view.accepted > before and shown(desk)[0].seq > 0)
        await desk.state("finished")
        await desk.until(lambda: shown(desk) and len(shown(desk)) <= newest(desk).size.height + 20)
        first = (await desk.session.cases.page(0, 1, newest_first=True))[0]
        await desk.until(lambda: shown(desk)[0].seq == first.seq)


async def test_what_comes_is_drawn_with_the_panels_in_one_frame(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    async with studio(size=WIDE, model=model) as desk:
        await begin(desk, make_plan(200))
        rows, screen, live = newest(desk), desk.app.screen, desk.live
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
        await desk.press("ctrl+p")
        await desk.until(lambda: len(shown(desk)) > 2 and told)
        model.gate.set()
        await desk.state("finished")
        assert all(told)
        first = (await desk.session.cases.page(0, 1, newest_first=True))[0]
        await desk.until(lambda: shown(desk)[0].seq == first.seq)


@SIZES
async def test_what_is_chosen_stands_still_while_more_come(make_plan: Plans, size: tuple[int, int]) -> None:
    model = Scripted(hold=2)
    async with studio(size=size, model=model) as desk:
        await begin(desk, make_plan(200))
        await desk.press("ctrl+p")
        await desk.until(lambda: desk.live.view.accepted > 2)
        await to_list(desk)
        await desk.until(lambda: len(shown(desk)) > 2)
        await desk.press("down")
        case, rows = await chosen(desk), [one.seq for one in shown(desk)]
        model.gate.set()
        await desk.until(lambda: desk.live.view.accepted > len(rows) + 20)
        await desk.sees("newer")
        assert newest(desk).chosen == case and [one.seq for one in shown(desk)] == rows
        await desk.state("finished")
        assert newest(desk).chosen == case, "the end of the run takes nothing away, too"
        await desk.press("home")
        await desk.until(lambda: shown(desk)[0].seq > rows[0])
        await desk.misses("newer")


@SIZES
@covers("Newest cases", "p", "d", "e", "escape")
async def test_cases_are_acted_on_where_they_are_seen(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(12), size) as desk:
        await desk.press(*["down"] * 5)  # below what is told at the top
        await desk.until(lambda: newest(desk).cursor == 5)
        case = await chosen(desk)
        await desk.press("p")
        await desk.until(lambda: (row := newest(desk).chosen) is not None and row.seq == case.seq and row != case)
        assert "★" in await desk.sees("★")
        await desk.press("d", "enter")
        await desk.until(lambda: "is pinned" in desk.told)
        await desk.press("p")
        await desk.misses("★")
        # Edited in the form of F2, and seen here when that is left.
        await desk.press("e")
        await desk.at("CasesScreen")
        await desk.sees(f"editing {case.case_id}")
        await desk.until(lambda: desk.app.focused is not None and hasattr(desk.app.focused, "text"))
        desk.app.focused.text = "Where is the parcel with the blue ribbon?"  # type: ignore[union-attr]
        await desk.press("ctrl+s")
        await desk.until(lambda: not desk.app.screen.has_class("-editing"))
        await desk.press("escape")
        await desk.at("StudioScreen", "panel-cases")
        await desk.sees("✎ Where is the parcel")
        assert (await chosen(desk)).seq == case.seq, "the selection is on its case"
        # Turned away, after a question: the next one is chosen.
        after = shown(desk)[6]
        await desk.press("d")
        await desk.at("QuestionDialog", "answers")
        await desk.press("down", "enter")
        await desk.at("StudioScreen", "panel-cases")
        assert (await chosen(desk)).seq == case.seq and len(await desk.session.cases.page(0, 20)) == 12
        await desk.press("d")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.until(lambda: len(shown(desk)) == 11)
        assert (await chosen(desk)).seq == after.seq
        assert case.case_id not in {one.case_id for one in await desk.session.cases.page(0, 20)}
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")


@SIZES
async def test_enter_opens_the_case_that_is_chosen(make_plan: Plans, size: tuple[int, int]) -> None:
    async with finished(make_plan(40), size) as desk:
        await desk.press(*["down"] * 7)
        case = await chosen(desk)
        assert case.ordinal != 40
        await desk.press("enter")
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: (found := desk.one("#cases").chosen) is not None and found.seq == case.seq)
        await desk.sees("newest first", case.case_id)
        await desk.press("escape")
        await desk.at("StudioScreen", "panel-cases")
        assert (await chosen(desk)).seq == case.seq


async def test_the_mouse_chooses_and_opens(make_plan: Plans) -> None:
    async with finished(make_plan(12), WIDE) as desk:
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
        await desk.pilot.click("#panel-cases", (12, 4))  # a border is above the rows
        await desk.at("StudioScreen", "panel-cases")
        await desk.until(lambda: newest(desk).cursor == 3)
        case = await chosen(desk)
        await desk.pilot.click("#panel-cases", (12, 4), times=2)
        await desk.at("CasesScreen")
        await desk.until(lambda: (found := desk.one("#cases").chosen) is not None and found.seq == case.seq)


async def test_letters_typed_beside_the_list_are_text(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(size=LARGE, open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.until(lambda: shown(desk))
        await desk.write("deeply pleased: drop and pin the eldest")
        assert desk.one("#prompt").text == "deeply pleased: drop and pin the eldest"
        assert desk.place == "StudioScreen"


async def test_a_burst_is_read_once_and_rows_are_bounded(make_plan: Plans) -> None:
    """At a thousand cases a second the list is read once a repaint, and never more than can be seen and a few."""
    await built(make_plan(600))
    async with studio(size=WIDE, open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.until(lambda: shown(desk))
        cases, read = desk.session.cases, []
        page = cases.page

        async def counting(offset: int, limit: int, **more: Any) -> Sequence[AcceptedCase]:
            read.append(limit)
            return await page(offset, limit, **more)

        cases.page = counting  # type: ignore[method-assign]
        for number in range(3000):
            desk.live.take(
                CaseAccepted(
                    ts=desk.live.now(), case_id=f"category_1-{number:05d}", category="category_1", slot=number, seq=10_000 + number,
                    batch=1, text="x", accepted=600 + number, planned=4000,
                )
            )  # fmt: skip
        await desk.until(lambda: read and not newest(desk)._stale and not newest(desk)._reading)
        await desk.pilot.pause()
        most = newest(desk).size.height + 20
        assert len(read) <= 3 and max(read) <= most, read
        assert len(newest(desk)._rows) <= most and len(newest(desk)._cases) <= most


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
    async with studio(size=LARGE, model=model) as desk:
        await begin(desk, make_plan(40))
        await desk.press("ctrl+p")
        await desk.until(lambda: len(shown(desk)) >= 2)
        near = shown(desk)[-1]
        desk.live.take(
            CaseRejected(
                ts=desk.live.now() + 3600, category=near.category, slot=9, seq=near.seq + 500, batch=1, stage="structural",
                reason="the same", text="Said it before", attempt=1, score=1.0, threshold=1.0, nearest_case_id=near.case_id,
            )
        )  # fmt: skip
        text = await desk.sees(f"structural = #{near.ordinal}", "“Said it before")
        assert "✗" in text
        assert newest(desk)._repeated == {near.case_id}


@pytest.mark.parametrize("size", [LARGE, (100, 30), (60, 16)])
async def test_hostile_cases_are_text_here_too(make_plan: Plans, size: tuple[int, int]) -> None:
    await built(make_plan(3))
    async with studio(size=size, open_first="support") as desk:
        desk.app.get_line_filters = lambda: desk.app._filters  # type: ignore[method-assign]  # without the net under all
        await desk.to_work()
        await to_list(desk)
        await desk.until(lambda: newest(desk).count == 3)
        rows = newest(desk)
        flag = {"kind": "contrast", "case_id": f"{EVIL}-00002", "stage": "x", "score": 0.5, "differs": []}
        rows._rows = [
            case(90, f"first {EVIL}", category=EVIL, flags=[flag], pinned=True),
            case(80, EVIL, attributes={"tone": EVIL}),
            turned(70, 1e12, category=EVIL, text=EVIL, reason=EVIL, nearest=f"{EVIL}-00007", stage=EVIL),
            turned(60, 1e12, category=EVIL, text=EVIL, reason=EVIL, nearest=None),
        ]
        rows._lay_out(cursor=0)
        await desk.sees("first")
        for strip in desk.app.screen._compositor.render_strips(desk.app.screen.size):
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
        async with studio(size=LARGE, replay=player) as desk:
            await desk.at("StudioScreen", "panel-plan")
            await desk.press("end")
            await desk.sees("replay · end")
            await desk.until(lambda: len(shown(desk)) == 30)
            newest(desk).focus()
            case = await chosen(desk)
            await desk.press("p", "d", "e")
            await desk.pilot.pause()
            assert desk.place == "StudioScreen" and newest(desk).chosen == case
            await desk.misses("p pin")
            await desk.press("enter")
            await desk.at("CasesScreen")
    finally:
        await player.close()
