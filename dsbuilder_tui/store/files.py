"""Folders and files of a checkpoint directory: made for their owner alone, moved together or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from dsbuilder_tui.atomic_write import atomic_write, is_alive, sweep_temporaries, sync_folder
from dsbuilder_tui.domain.errors import StorageError

__all__ = [
    "atomic_write",
    "is_alive",
    "is_taken",
    "move_together",
    "private_folder",
    "read_small",
    "require_ordinary",
    "sweep_temporaries",
    "sync_folder",
]

_OF_SESSION = ("session.", "status.json", "fingerprints.")  # beginnings of names
_MOST_NOTE = 1024 * 1024  # bytes


def private_folder(path: Path) -> Path:
    """Create a folder only its owner can enter. Raises ``StorageError`` when that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not any(path.iterdir()):
            path.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"The folder {path} cannot be used: {error.strerror or error}.",
            "Make it writable or choose another one with --checkpoint-dir.",
        ) from None
    return path


def require_ordinary(folder: Path) -> None:
    """Raises ``StorageError`` for a folder in which a file of the session itself is a link, a pipe or a device.

    One that came from elsewhere may hold such a file: what is written would end up at another place, or be waited for.
    """
    try:
        with os.scandir(folder) as entries:
            strange = [
                e.name for e in entries if e.name.startswith(_OF_SESSION) and not e.is_file(follow_symlinks=False)
            ]
    except OSError:  # whoever reads or writes there says what is wrong
        return
    if strange:
        raise StorageError(
            f"In the session folder {folder} {min(strange)} is not an ordinary file: nothing is read or written through it.",
            "Take it out, or restore a copy of the folder.",
        )


def read_small(path: Path) -> bytes:
    """A note of some lines, or the beginning of what is too long to be one. Raises ``OSError``, also for what is no file."""
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        return file.read(_MOST_NOTE)


def is_taken(path: Path, *, by_other_than: Path | None = None) -> bool:
    """Whether something of that name exists, be it a dangling link.

    ``by_other_than`` is something that may have the name already: where case does not count, ``A`` is there as ``a``.
    """
    if not os.path.lexists(path):
        return False
    try:
        return by_other_than is None or not os.path.samestat(path.lstat(), by_other_than.lstat())
    except OSError:
        return True


def move_together(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename these, in this order: all of them, or none.

    A later pair may lie inside a folder that an earlier one has moved. Nothing that exists is replaced. Raises
    ``StorageError`` when the disk refuses; what was moved is then back in its place, or the error says where it is.
    """
    done: list[tuple[Path, Path]] = []
    try:
        for old, new in moves:
            if is_taken(new, by_other_than=old):
                raise FileExistsError(0, "there is something of that name")
            old.rename(new)
            done.append((old, new))
    except OSError as error:
        stranded = _moved_back(done)
        raise StorageError(
            f"{old} cannot be moved to {new}: {error.strerror or error}.",
            f"These could not be put back: {', '.join(map(str, stranded))}. Move them by hand."
            if stranded
            else "Make both places writable, then try again; everything is where it was.",
        ) from None
    for folder in {path.parent for pair in moves for path in pair}:
        with contextlib.suppress(OSError):  # the names are changed; only how soon they outlive a power cut is open
            sync_folder(folder)


def _moved_back(done: list[tuple[Path, Path]]) -> list[Path]:
    """Undo renames, the last first. Returns what could not be moved back."""
    stranded = []
    for old, new in reversed(done):
        try:
            new.rename(old)
        except OSError:
            stranded.append(new)
    return stranded
