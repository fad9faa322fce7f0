"""Access to foreign files: none that may hold keys, none that is no ordinary file; and what was left out, in words."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from dsbuilder_tui.sources.foreign_text import label

_SHOWN = 3
_SECRET_FILES = (".env*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", "id_rsa*", "id_ed25519*", "id_ecdsa*",
                 "id_dsa*", "*credential*", "*secret*", ".netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd")  # fmt: skip
_SECRET_FOLDERS = {".ssh", ".aws", ".gnupg", ".azure", ".kube", ".docker"}


@dataclass(slots=True)
class Skipped:
    """What was left out, by reason, with a few names each."""

    names: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        names = self.names.setdefault(reason, [])
        if len(names) < _SHOWN:
            names.append(label(name))

    def notes(self) -> list[str]:
        """``left out, it may hold keys: .env, secrets (and 3 more)``, in the order in which they were met."""
        out = []
        for reason, names in self.names.items():
            more = self.counts[reason] - len(names)
            out.append(f"{reason}: {', '.join(names)}" + (f" (and {more:,} more)" if more else ""))
        return out


def may_hold_keys(path: Path) -> bool:
    """Whether a name is one under which keys are kept."""
    name = path.name.lower()
    return any(fnmatch(name, pattern) for pattern in _SECRET_FILES) or bool(_SECRET_FOLDERS & set(path.parts))


def read_regular(path: Path, most: int) -> bytes | None:
    """A regular file's bytes, one more than ``most`` of them at most; None when it is a pipe, a device, a socket.

    Asked before it is opened, because opening can already do something; opened so that nothing waits; asked again.
    Raises ``OSError``.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    handle = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    )
    with os.fdopen(handle, "rb") as file:
        return file.read(most + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None
