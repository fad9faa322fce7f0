"""The accepted cases of a session, written to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from dsbuilder_tui.domain.case import IMPORTED_FROM, AcceptedCase, Checkpoint
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event, ExportWritten, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.repeated_inputs import RepeatedInputs
from dsbuilder_tui.store.export.checkpoint import SEED_FORMAT, seed_head
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
        at: Checkpoint | None = None,
        raw: bool = False,
        categories: Sequence[DatasetCategory] | None = None,
        only: Collection[str] | None = None,
        only_new: bool = False,
        place: Path | None = None,
    ) -> WrittenFile:
        """Write one file, as ``Session.export``; with ``at`` as it was at that checkpoint. ``categories`` are those of which it
        holds cases, of the plan's where it is not all of them; ``only`` these cases, by their ids; ``only_new``: none that came
        with a file of rows. It is announced to lie at ``place``, where that is not ``path``.
        """
        files = self._files
        plan = files.plan if at is None else (await files.store.plans.of(at))[1]
        path = Path(path).expanduser()
        kind = format_of(path, kind)
        head: dict[str, Any] = {}
        if kind == SEED_FORMAT:
            slots, past = files.store.slots, files.store.past_cases
            retired = await (slots.retired() if at is None else past.retired(at.id))
            head = seed_head(plan, files.clock.now(), files.id, files.seed, retired)
        repeated, chosen = RepeatedInputs(plan), plan.categories if categories is None else categories
        written = await write_cases(
            path,
            kind,
            self._checked_pages(chosen, damaged, at, repeated, only, only_new),
            DatasetShape(_names(map(plan.fields_of, chosen)), _names(slot_axes(plan, c) for c in chosen), head, raw),
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
        self,
        categories: Sequence[DatasetCategory],
        damaged: list[str] | None,
        at: Checkpoint | None,
        repeated: RepeatedInputs,
        only: Collection[str] | None,
        only_new: bool,
    ) -> AsyncIterator[list[AcceptedCase]]:
        """The cases of these categories in slot order, compared at the end with what should be there."""
        files = self._files
        names, cases = [category.name for category in categories], files.store.cases
        async for page in dataset_pages(files.store, names, damaged, at):
            chosen = page if only is None else [case for case in page if case.case_id in only]
            if only_new:
                chosen = [case for case in chosen if IMPORTED_FROM not in case.tags]
            repeated.see(chosen)
            yield chosen
        await files.pages_checked()
        await cases.require_sound(damaged)


async def dataset_pages(
    store: SessionStore, names: Sequence[str], damaged: list[str] | None, at: Checkpoint | None
) -> AsyncIterator[list[AcceptedCase]]:
    """The cases of these categories in slot order, as ``CaseTable.pages``; with ``at`` those of that checkpoint."""
    if at is None:
        async for page in store.cases.pages(names, damaged=damaged):
            yield page
        return
    async for page in store.past_cases.pages(at.id, names):
        yield store.cases.whole_ones(page, damaged)


def _names(groups: Iterable[Iterable[str]]) -> list[str]:
    """Each name once, in the order in which it comes first."""
    return list(dict.fromkeys(name for group in groups for name in group))
