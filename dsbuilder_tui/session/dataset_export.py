"""The accepted cases of a session, written to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event, ExportWritten, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.repeated_inputs import RepeatedInputs
from dsbuilder_tui.store.export.checkpoint import SEED_FORMAT, seed_head
from dsbuilder_tui.store.export.dataset_parts import DatasetPart, dataset_parts
from dsbuilder_tui.store.export.export_format import DatasetShape
from dsbuilder_tui.store.export.formats import WrittenFile, format_of, write_cases
from dsbuilder_tui.store.session_store import SessionStore


class ExportedSession(Protocol):
    """What the export asks of a session's files."""

    store: SessionStore
    plan: DatasetPlanInput
    clock: Clock

    @property
    def id(self) -> str: ...
    @property
    def seed(self) -> int: ...
    def emit(self, event: Event) -> None: ...
    async def pages_checked(self) -> str: ...


@dataclass(frozen=True, slots=True)
class WrittenDataset:
    """The files that an export has written; the first is the one that was named."""

    files: tuple[WrittenFile, ...]

    @property
    def cases(self) -> int:
        """How many all of them hold."""
        return sum(file.cases for file in self.files)


class DatasetExport:
    """Writes datasets in any of the formats, compared with what the history says should be there."""

    def __init__(self, files: ExportedSession) -> None:
        self._files = files

    async def write(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        damaged: list[str] | None = None,
        private: bool = False,
        upto: int | None = None,
        raw: bool = False,
    ) -> WrittenDataset:
        """As ``Session.export``."""
        files, plan = self._files, self._files.plan
        path = Path(path).expanduser()
        kind = format_of(path, kind)
        head: dict[str, Any] = {}
        if kind == SEED_FORMAT:
            head = seed_head(plan, files.clock.now(), files.id, files.seed, await files.store.slots.retired())
        repeated = RepeatedInputs(plan)
        found = []
        for part in dataset_parts(plan, path, kind):
            written = await write_cases(
                part.path,
                kind,
                self._checked_pages(part, damaged, upto, repeated),
                DatasetShape(self._fields(part), self._axes(part), head, raw),
                private=private,
            )
            found.append(written)
        if words := repeated.words:
            files.emit(Notice(ts=files.clock.now(), level=NoticeLevel.WARNING, text=words))
        for file in found:
            files.emit(
                ExportWritten(
                    ts=files.clock.now(), path=str(file.path), format=kind, cases=file.cases, sha256=file.sha256
                )
            )
        return WrittenDataset(tuple(found))

    def parts(self, path: Path, kind: str | None = None) -> tuple[DatasetPart, ...]:
        """The files that an export to a path writes. Raises ``InputError`` for an ending that nothing writes."""
        return dataset_parts(self._files.plan, path, format_of(path, kind))

    async def _checked_pages(
        self, part: DatasetPart, damaged: list[str] | None, upto: int | None, repeated: RepeatedInputs
    ) -> AsyncIterator[list[AcceptedCase]]:
        """The cases of a file in slot order, compared at the end with what should be there."""
        files = self._files
        names, cases = [category.name for category in part.categories], files.store.cases
        async for page in cases.pages(names, damaged=damaged, upto=upto):
            repeated.see(page)
            yield page
        await files.pages_checked()
        await cases.require_sound(damaged)

    def _fields(self, part: DatasetPart) -> list[str]:
        return list(dict.fromkeys(field for one in part.categories for field in self._files.plan.fields_of(one)))

    def _axes(self, part: DatasetPart) -> list[str]:
        return list(dict.fromkeys(axis for one in part.categories for axis in slot_axes(self._files.plan, one)))
