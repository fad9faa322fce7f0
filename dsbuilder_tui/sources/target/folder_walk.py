"""Which files of a folder are looked at, and how one is opened: bounded, in a fixed order, and none that may hold keys."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.sources.file_access import Skipped, may_hold_keys, read_regular

MOST_FILES = 400
MOST_BYTES = 256 * 1024
MOST_BYTES_IN_ALL = 4 * 1024 * 1024
DEEPEST = 8
NOT_READ = "not read"
_MOST_ENTRIES = 20_000
_BUILT = set(
    "node_modules bower_components venv env virtualenv __pycache__ __pypackages__ site-packages build dist out target vendor "
    "coverage htmlcov mlruns".split()
)
_PROMPT_NAME = re.compile(r"prompt|system|instruction", re.IGNORECASE)
_TEXT_ENDS = {".md", ".txt", ".jinja", ".j2", ".jinja2", ".prompt"}
_DATA_ENDS = {".yaml", ".yml", ".json"}
_SCRIPT_ENDS = {".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}
_DOCUMENT_ENDS = {".pdf", ".docx", ".md", ".markdown", ".mdx", ".html", ".htm", ".rst", ".txt"}
# Code of these languages may hold prompts and tools; it is said that nobody looked.
_OTHER_CODE = {
    ".go": "Go", ".java": "Java", ".kt": "Kotlin", ".cs": "C#", ".fs": "F#", ".rb": "Ruby", ".rs": "Rust", ".php": "PHP",
    ".swift": "Swift", ".scala": "Scala", ".ex": "Elixir", ".exs": "Elixir", ".clj": "Clojure", ".dart": "Dart", ".lua": "Lua",
    ".cpp": "C++", ".cc": "C++", ".c": "C", ".hs": "Haskell", ".r": "R", ".jl": "Julia", ".vue": "Vue", ".svelte": "Svelte",
    ".ipynb": "notebooks", ".co": "Colang",
}  # fmt: skip
_NO_DOCUMENTS = re.compile(
    r"(?:licen[cs]e|changelog|changes|contributing|code_of_conduct|security|authors|notice|history|requirements.*|robots|"
    r"constraints.*|llms|agents|claude)\.\w+", re.IGNORECASE,
)  # fmt: skip
_LOCKS = {"package.json", "package-lock.json", "tsconfig.json", "pnpm-lock.yaml", "composer.json", "poetry.lock"}


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """A file worth reading. ``kind``: readme, prompt (text or data), python, script or data.

    ``shown`` is its path in the folder.
    """

    path: Path
    shown: str
    kind: str
    rank: tuple[int, int, int, str]


def kind_of(name: str) -> str:
    """readme, prompt, python, script, data, or nothing when a file of this name is not looked at."""
    name = name.lower()
    stem, end = Path(name).stem, Path(name).suffix
    if name.startswith("readme") and end in ("", ".md", ".rst", ".txt", ".markdown"):
        return "readme"
    if _PROMPT_NAME.search(stem) and end in _TEXT_ENDS | _DATA_ENDS:
        return "prompt"
    if end == ".py":
        return "python"
    if end in _SCRIPT_ENDS and not name.endswith((".d.ts", ".min.js", ".d.mts", ".d.cts")):
        return "script"
    return "data" if end in _DATA_ENDS and name not in _LOCKS else ""


def is_document(name: str) -> bool:
    """Whether a file of this name may be one that cases can be written from: no prompt, no README, no licence."""
    return Path(name).suffix.lower() in _DOCUMENT_ENDS and not kind_of(name) and not _NO_DOCUMENTS.fullmatch(name)


def candidates(root: Path, skipped: Skipped, documents: list[str]) -> list[CandidateFile]:
    """The files of a folder that are worth reading, the likeliest first. Each folder is listed once; no link is followed
    out of the root, nor to another folder. Unreadable folders are noted; ``documents`` gets those met on the way."""
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
                elif isinstance(found, CandidateFile):
                    out.append(found)
                elif found is not None:
                    documents.append(found)
            if entries >= _MOST_ENTRIES:
                skipped.add(f"not listed beyond {_MOST_ENTRIES:,} entries", _shown(folder, root))
                return sorted(out, key=lambda each: each.rank)
        level = below
    for folder in level:
        skipped.add(f"not looked into, deeper than {DEEPEST} folders", _shown(folder, root))
    return sorted(out, key=lambda each: each.rank)


def _look(path: Path, root: Path, depth: int, skipped: Skipped) -> CandidateFile | Path | str | None:
    """One entry of a folder: a file to read, a folder to go into, the name of a document, or None."""
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
        tests = tests or bool(re.search(r"(?:^|/)__tests__/|\.(?:test|spec)\.\w+$", shown))
        first = {"readme": 0, "prompt": 1, "python": 2, "script": 2, "data": 3}[kind]
        return CandidateFile(
            path, shown, kind, (first + 10 * tests, depth, len(name) if kind == "readme" else 0, shown)
        )
    elif stat.S_ISREG(mode) and is_document(name):
        return shown
    elif language := _OTHER_CODE.get(Path(name).suffix.lower()):
        skipped.add(f"{NOT_READ}, {language}", shown)
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
            raw = read_regular(each.path, MOST_BYTES)
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


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
