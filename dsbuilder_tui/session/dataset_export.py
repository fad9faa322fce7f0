"""The accepted cases of a session, written to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any, Protocol

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event, ExportWritten, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.repeated_inputs import RepeatedInputs
from dsbuilder_tui.store.export.checkpoint import seed_head
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
        only: Collection[str] | None = None,
        place: Path | None = None,
    ) -> WrittenFile:
        """As ``Session.export``. ``only`` these cases, by their ids. It is announced to lie at ``place``, where that is not
        ``path``."""
        files, plan = self._files, self._files.plan
        path = Path(path).expanduser()
        kind = format_of(path, kind)
        head: dict[str, Any] = {}
        if kind == "checkpoint":
            head = seed_head(plan, files.clock.now(), files.id, files.seed, await files.store.slots.retired())
        repeated = RepeatedInputs(plan)
        written = await write_cases(
            path,
            kind,
            self._checked_pages(damaged, upto, repeated, only),
            DatasetShape(list(plan.input_fields), self._axes(), head, raw),
            private=private,
        )
        if words := repeated.words:
            files.emit(Notice(ts=files.clock.now(), level=NoticeLevel.WARNING, text=words))
        files.emit(
            ExportWritten(
                ts=files.clock.now(), path=str(place or path), format=kind, cases=written.cases, sha256=written.sha256
            )
        )
        return written

    async def _checked_pages(
        self, damaged: list[str] | None, upto: int | None, repeated: RepeatedInputs, only: Collection[str] | None
    ) -> AsyncIterator[list[AcceptedCase]]:
        """The cases of the plan in slot order, compared at the end with what should be there."""
        files, plan = self._files, self._files.plan
        names, cases = [category.name for category in plan.categories], files.store.cases
        async for page in cases.pages(names, damaged=damaged, upto=upto):
            chosen = page if only is None else [case for case in page if case.case_id in only]
            repeated.see(chosen)
            yield chosen
        await files.pages_checked()
        await cases.require_sound(damaged)

    def _axes(self) -> list[str]:
        plan, names = self._files.plan, dict[str, None]()
        for category in plan.categories:
            names.update(dict.fromkeys(slot_axes(plan, category)))
        return list(names)
