"""The finished dataset as a file: where it goes, and whether what lies there is it."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.export_formats import format_of, require_writer
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.settings.key_trust import ForeignAddress, TrustRisk, not_allowed
from dsbuilder_tui.store.export.dataset_parts import DatasetPart, dataset_parts, parts_words

# The key under which `SessionFiles.conclude` notes that the dataset is to be written: absent in sessions of versions that
# did not, None while it is to be done, and else what was written.
DATASET = "dataset"
# The key of the place that whoever ran the session last was to write it to: empty for the place of its own.
PROMISED = "promised"
# The key of whether cases that came with a file of rows are left out of the dataset.
ONLY_NEW = "only_new"


class DatasetFile:
    """Writes the dataset and remembers what was written, so that an older file is not taken for it after a kill."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    @property
    def out(self) -> Path | None:
        """Where the finished dataset is to be written, as asked for at the start.

        None where a folder that came from elsewhere says so and nobody has agreed (``foreign_out``).
        """
        out = self._context.files.meta.get("out")
        return Path(out) if out and not self.foreign_out else None

    @property
    def foreign_out(self) -> list[ForeignAddress]:
        """The place for the finished dataset that came with a session from elsewhere, until the person agrees to it."""
        files = self._context.files
        out = files.meta.get("out")
        if not out or files.is_own("out", out):
            return []
        named = ForeignAddress(
            folder=files.folder.resolve(), file="session", setting="out", address=str(out), key="", key_origin="",
            risk=TrustRisk.FILE, of_session=True,
        )  # fmt: skip
        return not_allowed([named])

    @property
    def path(self) -> Path:
        """Where the dataset goes when no other place is named: ``out``, or ``<id>.jsonl`` in the session's folder."""
        return self.out or self._own_path

    @property
    def _own_path(self) -> Path:
        return self._context.files.folder / f"{self._context.id}.jsonl"

    async def promise(self, path: Path) -> None:
        """Note that the dataset is to be written there when it is finished, so that it is, even after a kill.

        Raises ``InputError`` for a format that cannot be written: the end of a run is no time to find that out, nor to import
        for the first time what writes it.
        """
        require_writer(format_of(path))
        files, own = self._context.files, path == self._own_path
        promised = "" if own else str(path)
        if files.meta.get(PROMISED) != promised:
            await files.remember(**{PROMISED: promised, "seals": files.seals_with(PROMISED, promised)})

    async def leave_imported_out(self) -> None:
        """Write only the new cases: those that came with a file of rows stay where they are."""
        await self._context.files.remember(**{ONLY_NEW: True})

    @property
    def owed(self) -> Path | None:
        """Where a finished dataset was to be written and has not been; None where nobody has asked for it.

        A place that came with a folder from elsewhere is none.
        """
        meta = self._context.files.meta
        if meta.get("state") not in (SessionState.COMPLETE, SessionState.SHORT) or meta.get(DATASET, "") is not None:
            return None
        promised = meta.get(PROMISED)
        if promised is None:
            return self.out
        if promised == "":
            return self._own_path
        return Path(promised) if self._context.files.is_own(PROMISED, promised) else None

    async def write(self, path: Path | None = None) -> int:
        """Write the dataset to its place, or to another one, and remember that it was. Returns how many cases it holds.

        Raises as ``Session.export``.
        """
        files, target = self._context.files, path or self.path
        self._context.require_plan()
        seq = files.store.seq
        private = target.parent == files.folder
        parts = self.parts(target)
        only_new = bool(files.meta.get(ONLY_NEW))
        first, *others = [
            await files.dataset.write(p.path, private=private, categories=p.categories, only_new=only_new)
            for p in parts
        ]
        record: dict[str, Any] = {"path": str(target), "cases": first.cases, "sha256": first.sha256, "seq": seq}
        for part, file in zip(parts[1:], others, strict=True):
            record["scenarios"] = {"path": str(part.path), "sha256": file.sha256}
        await files.remember(**{DATASET: record})
        return first.cases + sum(file.cases for file in others)

    def parts(self, path: Path, kind: str | None = None) -> tuple[DatasetPart, ...]:
        """What writing to a path writes: scenarios that stand beside other cases get a file of their own.

        Raises ``InputError`` for an ending that nothing writes.
        """
        return dataset_parts(self._context.plan, path, format_of(path, kind))

    def where(self, path: Path, kind: str | None = None) -> str:
        """These files in words, for a sentence that tells what was written."""
        return parts_words(self.parts(path, kind))

    async def is_written(self, path: Path) -> bool:
        """Whether the file of that name is the dataset as it is now, or was that when a person changed it."""
        if not path.exists():
            return False
        meta = self._context.files.meta
        if DATASET not in meta:  # finished by a version that did not say so
            return True
        record = meta[DATASET]
        return (
            record is not None
            and record["path"] == str(path)
            and all(part.path.exists() for part in self.parts(path))
            and await self._context.files.store.statistics.disturbed() <= record["seq"]
        )

    async def difference(self) -> str:
        """What is wrong with the file that was written, in words; empty when it is as it was written, or never was."""
        record: dict[str, Any] | None = self._context.files.meta.get(DATASET)
        if record is None:
            return ""
        for written in (record, *filter(None, [record.get("scenarios")])):
            path = Path(written["path"])
            try:
                found = await asyncio.to_thread(digest_of, path)
            except OSError as error:
                return f"{path} cannot be read: {error.strerror or error}"
            if found != written["sha256"]:
                return f"{path} is not what was written"
        return ""


def digest_of(path: Path) -> str:
    """The SHA-256 of a file. Raises ``OSError``, also for what is none: a pipe would be waited for."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
