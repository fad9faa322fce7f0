"""The documents that a session's cases are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.evidence import SOURCES
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.session.session_context import SessionContext


@dataclass(frozen=True, slots=True)
class DocumentUse:
    """How many of a document's passages have accepted cases, and how many cases they have together."""

    document: str
    passages: int
    used: int
    cases: int


class SessionDocuments:
    """What has been read of a plan's ``sources``, and what was made of it."""

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
        sources = self._context.plan.all_sources()
        if not sources:
            return []
        table = self._context.files.store.passages
        uses, documents = await table.uses(), dict[str, list[int]]()
        for passage in await table.of(sources):
            documents.setdefault(passage.document, []).append(uses.get(passage.id, 0))
        return [
            DocumentUse(document, len(counts), sum(map(bool, counts)), sum(counts))
            for document, counts in documents.items()
        ]
