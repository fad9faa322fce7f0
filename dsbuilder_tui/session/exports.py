"""The dataset of a session as others take it: a file in any format, one for each split, or a folder with a page about it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

from dsbuilder_tui.atomic_write import atomic_write, replaceable
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.dataset_card import CardCategory, DatasetCard
from dsbuilder_tui.domain.errors import InputError, StorageError
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.figures import told_figures
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.dataset_export import dataset_pages
from dsbuilder_tui.session.dataset_split import SplitMember, split_cases
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.export.checkpoint import SEED_FORMAT
from dsbuilder_tui.store.export.dataset_parts import DatasetPart, dataset_parts, named_part
from dsbuilder_tui.store.export.export_format import FolderLayout
from dsbuilder_tui.store.export.formats import FORMATS, format_of, require_writer

UNKNOWN_LICENCE = "unknown"
_WHOLE = "test"  # the split of a folder that is not parted: what a dataset for evaluation is


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that was written: its split (empty where there is none), its number of cases, its SHA-256."""

    path: Path
    split: str
    cases: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileOptions:
    """What holds for each file of an export: as ``Session.export`` has it."""

    kind: str
    damaged: list[str] | None
    private: bool
    at: Checkpoint | None
    raw: bool
    only_new: bool


class SessionExports:
    """Writes the accepted cases of a session for other tools."""

    def __init__(self, context: SessionContext, diversity: SessionDiversity) -> None:
        self._context, self._diversity = context, diversity

    async def write(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        shares: Mapping[str, Fraction] | None = None,
        licence: str = UNKNOWN_LICENCE,
        damaged: list[str] | None = None,
        private: bool = False,
        at: int | None = None,
        raw: bool = False,
        only_new: bool = False,
    ) -> list[ExportedFile]:
        """Write the dataset in the format of the ending, or ``kind``. Returns the files, in the order of the splits.
        Scenarios that stand beside other cases go to files of their own, behind those of the others.

        With ``shares`` (``dataset_split.read_shares``) each split is a file of its own, its name in front of the ending;
        near cases are never parted. A format whose name is a folder's gets a page with the ``licence`` in it. All else as for
        ``Session.export``, which this raises as; also ``InputError`` for a folder that holds something else, and for a
        format that cannot be parted.
        """
        self._context.require_plan()
        path = Path(path).expanduser()
        kind = format_of(path, kind)
        require_writer(kind)
        row = FORMATS.load(kind)
        point = None if at is None else await self._context.files.store.checkpoints.at(at)
        how = _FileOptions(kind=kind, damaged=damaged, private=private, at=point, raw=raw, only_new=only_new)
        splits = await self._split(shares, how) if shares else None
        if splits is not None and kind == SEED_FORMAT:
            raise InputError("A checkpoint is one file: it cannot be split.", "Choose another format, such as .jsonl.")
        files = []
        plan = self._context.plan if point is None else (await self._context.files.store.plans.of(point))[1]
        parts = dataset_parts(plan, path, kind)
        for part in parts:
            if row.layout is not None:
                files += await self._write_folder(part, row.layout, splits, licence, how)
            elif splits is None:
                files.append(await self._write_file(part, part.path, "", None, how))
            else:
                for name, ids in splits.items():
                    files.append(await self._write_file(part, named_part(part.path, row.ending, name), name, ids, how))
        if len(parts) > 1:
            text = f"MLflow keeps scenarios in datasets of their own: they are in {parts[1].path}."
            self._context.files.emit(Notice(ts=self._context.clock.now(), level=NoticeLevel.INFO, text=text))
        return files

    async def _write_file(
        self,
        part: DatasetPart,
        path: Path,
        split: str,
        ids: Collection[str] | None,
        how: _FileOptions,
        place: Path | None = None,
    ) -> ExportedFile:
        """Write one file; ``place`` is where it will lie in the end, when that is not ``path``."""
        found: list[str] | None = None if how.damaged is None else []
        written = await self._context.files.dataset.write(
            path, how.kind, damaged=found, private=how.private, at=how.at, raw=how.raw, only_new=how.only_new,
            categories=part.categories, only=ids, place=place,
        )  # fmt: skip
        if how.damaged is not None and found is not None:
            how.damaged[:] = dict.fromkeys([*how.damaged, *found])  # each split's writing comes by the same ones
        return ExportedFile(place or path, split, written.cases, written.sha256)

    async def splits(self, shares: Mapping[str, Fraction]) -> dict[str, frozenset[str]]:
        """The ids of each split's cases. Raises ``SessionDamaged``."""
        whole = _FileOptions(kind="", damaged=None, private=False, at=None, raw=False, only_new=False)
        return await self._split(shares, whole)

    async def _split(self, shares: Mapping[str, Fraction], how: _FileOptions) -> dict[str, frozenset[str]]:
        from dsbuilder_tui.diversity.compared_text import compared_text
        from dsbuilder_tui.diversity.near_groups import near_groups

        files = self._context.files
        cases = [
            (case.case_id, case.category, compared_text(case.inputs, case.kind))
            async for page in dataset_pages(files.store, self._context.categories(), how.damaged, how.at)
            for case in page
        ]
        groups = await asyncio.to_thread(near_groups, [text for _, _, text in cases])
        members = [SplitMember(i, category, group) for (i, category, _), group in zip(cases, groups, strict=True)]
        found = split_cases(members, shares, files.seed)
        return {name: frozenset(i for i, split in found.items() if split == name) for name in shares}

    async def _write_folder(
        self,
        part: DatasetPart,
        layout: FolderLayout,
        splits: Mapping[str, frozenset[str]] | None,
        licence: str,
        how: _FileOptions,
    ) -> list[ExportedFile]:
        """Write the folder beside its place, and put it there when it is whole."""
        folder = part.path
        _require_replaceable(folder, layout)
        made = folder.with_name(f".{folder.name}.{time.time_ns()}.tmp")
        named: Mapping[str, Collection[str] | None] = splits or {_WHOLE: None}
        files = []
        try:
            for name, ids in named.items():
                data = layout.data.format(split=name)
                files.append(await self._write_file(part, made / data, name, ids, how, folder / data))
            card = await self._card(part, {file.split: file.cases for file in files}, licence)
            with atomic_write(made / layout.page) as handle:
                handle.write(layout.write_page(card).encode())
            await asyncio.to_thread(_put_in_place, made, folder)
        except OSError as error:
            raise StorageError(f"{folder} could not be written: {error.strerror or error}.") from None
        finally:
            await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)
        return files

    async def _card(self, part: DatasetPart, splits: Mapping[str, int], licence: str) -> DatasetCard:
        context = self._context
        summary, plan = await context.summary(), context.plan
        figures = (await self._diversity.figures()).overall
        judged = summary.judged_counts
        roles = ("main_agent", "workers", "judge")
        models = dict.fromkeys(model["model"] for role in roles for model in (summary.cost.get(role) or {})["models"])
        notes = [f"Turned away on the way: {counted(sum(summary.rejections.values()), 'candidate')}"]
        if summary.exhausted_slots:
            notes.append(f"Planned cases that were given up on: {summary.exhausted_slots}")
        return DatasetCard(
            name=plan.dataset_name,
            target=plan.description,
            created=time.strftime("%Y-%m-%d", time.gmtime(context.clock.now())),
            licence=licence,
            version=version("dsbuilder-tui"),
            seed=context.files.seed,
            models=[*models] or [summary.worker_model],
            categories=[
                CardCategory(
                    name=category.name,
                    description=category.description,
                    planned=category.count,
                    cases=summary.categories[category.name]["accepted"],
                    judged=judged[category.name].words if category.name in judged else "",
                )
                for category in part.categories
            ],
            splits=splits,
            figures=[told.sentence for told in told_figures(figures)],
            notes=notes,
        )


def _require_replaceable(folder: Path, layout: FolderLayout) -> None:
    """Raises ``InputError`` for what is no folder, or one that holds something else than such a dataset."""
    if not folder.exists():
        return
    if replaceable(folder) != folder or not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Name a folder that is new, or holds such a dataset.")
    try:
        page = (folder / layout.page).read_text(encoding="utf-8") if any(folder.iterdir()) else None
    except (OSError, UnicodeDecodeError):
        page = ""
    if page is not None and not layout.is_own(page):
        raise InputError(
            f"{folder} holds something else than a dataset that was written there.",
            "Name a folder that is new or empty.",
        )


def _put_in_place(made: Path, folder: Path) -> None:
    if folder.exists():
        old = made.with_name(f"{made.name}.old")
        folder.rename(old)
        made.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        made.rename(folder)
