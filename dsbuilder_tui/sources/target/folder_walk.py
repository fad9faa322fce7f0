"""Which files of a folder are looked at, and how one is opened: bounded, in a fixed order, and none that may hold keys."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from dsbuilder_tui.sources.target.findings import label

MOST_FILES = 400
MOST_BYTES = 256 * 1024
MOST_BYTES_IN_ALL = 4 * 1024 * 1024
DEEPEST = 8
_MOST_ENTRIES = 20_000
_SHOWN = 3
_BUILT = set(
    "node_modules bower_components venv env virtualenv __pycache__ __pypackages__ site-packages build dist out target vendor "
    "coverage htmlcov mlruns".split()
)
_SECRET_FILES = (".env*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", "id_rsa*", "id_ed25519*", "id_ecdsa*",
                 "id_dsa*", "*credential*", "*secret*", ".netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd")  # fmt: skip
_SECRET_FOLDERS = {".ssh", ".aws", ".gnupg", ".azure", ".kube", ".docker"}
_PROMPT_NAME = re.compile(r"prompt|system|instruction", re.IGNORECASE)
_TEXT_ENDS = {".md", ".txt", ".jinja", ".j2", ".jinja2", ".prompt"}
_DATA_ENDS = {".yaml", ".yml", ".json"}
_LOCKS = {"package.json", "package-lock.json", "tsconfig.json", "pnpm-lock.yaml", "composer.json", "poetry.lock"}


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """A file worth reading. ``kind``: readme, prompt (text or data), python or data; ``shown`` is its path in the folder."""

    path: Path
    shown: str
    kind: str
    rank: tuple[int, int, int, str]


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


def kind_of(name: str) -> str:
    """readme, prompt, python, data, or nothing when a file of this name is not looked at."""
    name = name.lower()
    stem, end = Path(name).stem, Path(name).suffix
    if name.startswith("readme") and end in ("", ".md", ".rst", ".txt", ".markdown"):
        return "readme"
    if _PROMPT_NAME.search(stem) and end in _TEXT_ENDS | _DATA_ENDS:
        return "prompt"
    if end == ".py":
        return "python"
    return "data" if end in _DATA_ENDS and name not in _LOCKS else ""


def candidates(root: Path, skipped: Skipped) -> list[CandidateFile]:
    """The files of a folder that are worth reading, the likeliest first. Each folder is listed once; no link is followed
    out of the root, nor to another folder. Unreadable folders are noted."""
    out: list[CandidateFile] = []
    entries, level = 0, [root]
    for depth in range(DEEPEST + 1):
        below: list[Path] = []
        for folder in level:
            try:
                with os.scandir(folder) as listing:
                    names = sorted(
                        entry.name for entry, _ in zip(listing, range(_MOST_ENTRIES - entries), strict=False)
                    )
            except OSError:
                skipped.add("left out, the folder cannot be read", _shown(folder, root))
                continue
            if "pyvenv.cfg" in names and folder != root:
                skipped.add("not looked into", _shown(folder, root))
                continue
            entries += len(names)
            for name in names:
                found = _look(folder / name, root, depth, skipped)
                if isinstance(found, Path):
                    below.append(found)
                elif found is not None:
                    out.append(found)
            if entries >= _MOST_ENTRIES:
                skipped.add(f"not listed beyond {_MOST_ENTRIES:,} entries", _shown(folder, root))
                return sorted(out, key=lambda each: each.rank)
        level = below
    for folder in level:
        skipped.add(f"not looked into, deeper than {DEEPEST} folders", _shown(folder, root))
    return sorted(out, key=lambda each: each.rank)


def _look(path: Path, root: Path, depth: int, skipped: Skipped) -> CandidateFile | Path | None:
    """One entry of a folder: a file to read, a folder to go into, or None."""
    shown = _shown(path, root)
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            real = path.resolve(strict=True)
            if not real.is_relative_to(root):
                skipped.add("left out, the link leads out of the folder", shown)
                return None
            inside = real.relative_to(root)
            if may_hold_keys(inside) or any(map(may_hold_keys, inside.parents)):
                skipped.add("left out, it may hold keys", shown)
                return None
            if not real.is_file() or any(part.startswith(".") or part in _BUILT for part in inside.parts):
                return None  # a folder is read under its own name
            mode, path = real.lstat().st_mode, real
    except (OSError, RuntimeError):
        skipped.add("left out, the link leads nowhere", shown)
        return None
    name = shown.rpartition("/")[2]
    if may_hold_keys(Path(name)):
        skipped.add("left out, it may hold keys", shown)
    elif name.startswith("."):
        skipped.add("left out, hidden", shown)
    elif stat.S_ISDIR(mode):
        if name not in _BUILT and not name.endswith(".egg-info"):
            return path
        skipped.add("not looked into", shown)
    elif kind := kind_of(name):
        if not stat.S_ISREG(mode):
            skipped.add("left out, not a regular file", shown)
            return None
        tests = any(part in ("tests", "test") for part in Path(shown).parts) or name.startswith("test_")
        first = {"readme": 0, "prompt": 1, "python": 2, "data": 3}[kind]
        return CandidateFile(
            path, shown, kind, (first + 10 * tests, depth, len(name) if kind == "readme" else 0, shown)
        )
    return None


def contents(found: list[CandidateFile], skipped: Skipped) -> Iterator[tuple[CandidateFile, bytes]]:
    """Each candidate with its bytes, as far as the bounds allow; what is left out is noted."""
    total, looked, seen = 0, 0, set()
    for each in found:
        if looked >= MOST_FILES:
            skipped.add(f"left out, more than {MOST_FILES} files", each.shown)
            continue
        if each.path in seen:
            continue
        seen.add(each.path)
        looked += 1
        try:
            raw = read_regular(each.path)
        except OSError:
            skipped.add("left out, it cannot be read", each.shown)
            continue
        if raw is None:
            skipped.add("left out, not a regular file", each.shown)
        elif len(raw) > MOST_BYTES:
            skipped.add(f"left out, larger than {MOST_BYTES // 1024} KiB", each.shown)
        elif total + len(raw) > MOST_BYTES_IN_ALL:
            skipped.add(f"left out, more than {MOST_BYTES_IN_ALL // 1024**2} MiB in all", each.shown)
        else:
            total += len(raw)
            yield each, raw


def read_regular(path: Path) -> bytes | None:
    """A regular file's bytes, one more than ``MOST_BYTES`` of them at most; None when it is a pipe, a device, a socket.

    Asked before it is opened, because opening can already do something; opened so that nothing waits; asked again.
    Raises ``OSError``.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    handle = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    )
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST_BYTES + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
