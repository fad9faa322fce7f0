"""Writing files so that a reader sees the old one or the new one, never half of either."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dsbuilder_tui.domain.errors import InputError, StorageError

_TEMPORARY = re.compile(r"\.(\d{1,10})-[0-9a-f]{8}\.tmp$")


@contextlib.contextmanager
def atomic_write(path: Path, *, private: bool = False, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the block ends without an error.

    The temporary file lies in the same folder, so the rename cannot cross file systems. ``durable`` waits for the
    disk before and after the rename. A link of that name is replaced, not what it points at. Raises ``StorageError``
    when the disk refuses, or when the name is a device's, a pipe's or a socket's; what was there then stays as it was.
    """
    if _is_special(path, follow=False):
        raise StorageError(f"{path} is not an ordinary file.", "Choose another place.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if durable:
            sweep_temporaries(path.parent, f".{path.name}.")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "w+b") as handle:
            yield handle
            handle.flush()
            if durable:
                os.fsync(handle.fileno())
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written: {error.strerror or error}.",
            "Free some space or choose another place; an earlier file of that name is untouched.",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replaceable(path: Path) -> Path:
    """The file that may be replaced under a name which a person gave: itself, or what a link in its folder points at.

    Raises ``InputError`` for a device, a pipe or a socket, and for a link that leads out of its folder.
    """
    target = path
    if path.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(os.path.realpath(path.parent)):
            raise InputError(f"{path} is a link to {target}, in another place.", "Name the file itself.")
    if _is_special(target, follow=True):
        raise InputError(f"{path} is not an ordinary file.", "Name a file; it appears when it is whole.")
    return target


def write_private(path: Path, text: str) -> None:
    """Write a small file for its owner's eyes alone, in place of what has that name, be it a link. Raises ``OSError``."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)


def _is_special(path: Path, *, follow: bool) -> bool:
    """Whether there is something of that name that is neither a file nor a folder, nor a link where none is followed."""
    try:
        mode = path.stat().st_mode if follow else path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def sweep_temporaries(folder: Path, beginning: str = ".") -> None:
    """Remove what dead processes have left of files that they were writing, of names that begin so."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            found = _TEMPORARY.search(path.name) if path.name.startswith(beginning) else None
            if found and not is_alive(int(found[1])):
                with contextlib.suppress(OSError):
                    path.unlink()


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number on this machine. On Windows, which keeps what is open, never."""
    if os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Wait until a rename in this folder is on disk."""
    if os.name == "nt":
        return  # Windows has no handle to sync a folder with
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
