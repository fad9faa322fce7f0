"""The documents that a session's cases are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from dsbuilder_tui.domain.evidence import SOURCES
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.row_axis import RowAxis
from dsbuilder_tui.domain.source_paths import split_place
from dsbuilder_tui.session.session_context import SessionContext


@dataclass(frozen=True, slots=True)
class DocumentUse:
    """How many of a document's passages have accepted cases, and how many cases they have together."""

    document: str
    passages: int
    used: int
    cases: int


@dataclass(frozen=True, slots=True)
class PassageUse:
    """A passage and its accepted cases. ``source`` names it as a plan would: a path, and behind a ``#`` its heading or
    number; ``categories`` are written from it."""

    passage: Passage
    cases: int
    source: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowUse:
    """How many of the rows of a category's file have accepted cases, and how many cases they have together. ``rows`` is None
    before the file is read."""

    category: str
    axis: RowAxis
    rows: int | None
    used: int
    cases: int


class SessionDocuments:
    """What has been read of a plan's ``sources`` and ``rows``, and what was made of it."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def passages_of(self, tags: Mapping[str, Any]) -> list[Passage]:
        """The passages that a case with these tags was written from."""
        given = tags.get(SOURCES)
        sources = given if isinstance(given, list) else []
        keys = [str(one.get("passage")) for one in sources if isinstance(one, Mapping)]
        return await self._context.files.store.passages.by_ids(keys) if keys else []

    async def uses(self) -> list[DocumentUse]:
        """Each document that the plan's cases are written from, in order; none before it is read in the first run."""
        documents = dict[str, list[int]]()
        for use in await self.passages():
            documents.setdefault(use.passage.document, []).append(use.cases)
        return [
            DocumentUse(document, len(counts), sum(map(bool, counts)), sum(counts))
            for document, counts in documents.items()
        ]

    async def row_uses(self) -> list[RowUse]:
        """The file of rows of each category that has one."""
        plan, table = self._context.plan, self._context.files.store.source_rows
        axes = {category.name: category.rows for category in plan.categories if category.rows is not None}
        if not axes:
            return []
        uses, totals = await table.uses(), await table.totals()
        return [
            RowUse(name, axis, totals.get((name, axis.file)), *uses.get(name, (0, 0))) for name, axis in axes.items()
        ]

    async def passages(self) -> list[PassageUse]:
        """Each passage that the plan's cases are written from, in order; none before they are read in the first run."""
        plan, table = self._context.plan, self._context.files.store.passages
        if not plan.all_sources():
            return []
        uses, found = await table.uses(), dict[str, PassageUse]()
        for source in plan.all_sources():
            categories = tuple(c.name for c in plan.categories if source in plan.sources_of(c))
            numbers = dict[str, int]()  # of each document's passages
            for passage in await table.of([source]):
                number = numbers[passage.document] = numbers.get(passage.document, 0) + 1
                known = found.get(passage.id)
                if known is not None:
                    both = tuple(dict.fromkeys((*known.categories, *categories)))
                    found[passage.id] = replace(known, categories=both)
                    continue
                name = source if split_place(source)[1] else f"{_path(source, passage)}#{passage.heading or number}"
                found[passage.id] = PassageUse(passage, uses.get(passage.id, 0), name, categories)
        return list(found.values())


def _path(source: str, passage: Passage) -> str:
    """The path of a passage's document: the source itself, or where it is a folder, the file below it."""
    _, _, inside = passage.document.partition("/")
    if not inside or PurePath(source).name == PurePath(passage.document).name:
        return source
    return f"{source.rstrip('/')}/{inside}"
