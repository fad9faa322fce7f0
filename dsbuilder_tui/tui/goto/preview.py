"""Previews of places: read when one is looked at, before it is gone to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import slot_of
from dsbuilder_tui.manual import page
from dsbuilder_tui.session import library
from dsbuilder_tui.tui.goto.paint import (
    case_lines,
    category_lines,
    checkpoint_lines,
    rejection_lines,
    said_lines,
    session_lines,
    setting_lines,
)
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.places.place import PlaceKind
from dsbuilder_tui.tui.places.search import FoundPlace
from dsbuilder_tui.tui.widgets.file_preview import beginning_of

if TYPE_CHECKING:
    from dsbuilder_tui.tui.services import AppServices
    from dsbuilder_tui.tui.watched import Watched

_MOST_PAGE = 1_200  # characters of a page of the guide
Drawing = Callable[[int], Sequence[Line]]


async def preview_of(found: FoundPlace, watched: Watched | None, services: AppServices) -> Drawing:
    """How a place is drawn in so many cells. Raises ``DsbuilderError``."""
    place = found.place
    name = place.name
    plain = partial(said_lines, found.title, found.words)
    if place.kind is PlaceKind.SETTING:
        config = watched.session.config if watched is not None else services.config
        return partial(setting_lines, config, name)
    if place.kind is PlaceKind.PAGE:
        _, summary, text = page(name).split("\n\n", 2)
        return partial(said_lines, found.title, f"{' '.join(summary.split())}\n\n{text[:_MOST_PAGE]}")
    if place.kind is PlaceKind.FILE:
        return partial(said_lines, found.title, await asyncio.to_thread(beginning_of, Path(name)))
    if place.kind is PlaceKind.SESSION:
        async with services.shelf:
            return partial(session_lines, await library.list_session(Path(name), services.clock))
    return await _of_session(found, watched) if watched is not None else plain


async def _of_session(found: FoundPlace, watched: Watched) -> Drawing:
    session, place, plan = watched.session, found.place, watched.session.plan
    if place.kind is PlaceKind.CASE and (slot := slot_of(place.name)) is not None:
        case = await session.cases.get(*slot)
        if case is not None:
            return partial(case_lines, plan, case)
    if place.kind is PlaceKind.CATEGORY and any(one.name == place.name for one in plan.categories):
        return partial(category_lines, plan, place.name, watched.view.categories.get(place.name))
    if place.kind is PlaceKind.CHECKPOINT:
        return partial(checkpoint_lines, await session.checkpoints.at(int(place.name)))
    if place.kind is PlaceKind.BRANCH:
        branch = await session.branches.named(place.name)
        if branch.tip is not None:
            return partial(checkpoint_lines, await session.checkpoints.at(branch.tip))
    if place.kind is PlaceKind.REJECTION:
        at = await session.rejections.place(int(place.name))
        page = await session.rejections.page(at, 1) if at is not None else []
        if page:
            return partial(rejection_lines, page[0])
    return partial(said_lines, found.title, found.words)
