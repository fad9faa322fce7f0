"""Paths of files for the prompt: what ``@`` and the letters behind it may mean.

Folders are read in a thread; until one has been, there is nothing to choose, and whoever asked is told when there is.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from dsbuilder_tui.tui.studio.completion import Completion

_MOST_PATHS = 10_000  # that are looked at below one folder
_MOST_SHOWN = 50
_FRESH = 5.0  # seconds for which a folder that was read counts as known
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})  # full of files that nobody wrote
_ASKED = re.compile(r'(?:^|(?<=\s))@(?:"(?P<quoted>[^"\n]{0,1000})|(?P<plain>[^\s"]{0,1000}))$')
_NAMED = re.compile(r'(?:^|(?<=\s))@(?:"(?P<quoted>[^"\n]{1,1000})"|(?P<plain>[^\s"]+))')
_AFTER = ",;:.!?)"  # what may stand behind a path
_OUTSIDE = ("/", "~", ".")  # so begins a path that is not simply below the working folder, or is hidden


@dataclass(frozen=True, slots=True)
class FoundPath:
    """A path as it is written, with ``/`` between its parts, and whether it is a folder."""

    path: str
    is_folder: bool


class PathCompletion:
    """Completes the path at the end of a text. One for each prompt; to be asked on the event loop."""

    def __init__(self, folder: Path, found: Callable[[], None]) -> None:
        """``folder`` is where paths begin; ``found`` is called when there is more to choose from than was said."""
        self._folder, self._found = folder, found
        self._known: dict[str, tuple[float, Sequence[FoundPath]]] = {}  # by the folder that was read, as it is written
        self._reading: set[str] = set()

    def choices(self, text: str) -> list[Completion]:
        """What the text could become, the likeliest first; nothing when its end is no path that is asked for."""
        asked = _ASKED.search(text)
        if asked is None:
            return []
        typed = asked["quoted"] if asked["quoted"] is not None else asked["plain"]
        within = typed[: typed.rfind("/") + 1] if typed.startswith(_OUTSIDE) else ""
        paths = self._paths(within, below=not typed.startswith(_OUTSIDE))
        return [_completion(text[: asked.start()], found) for found in _best(paths, typed)]

    def _paths(self, within: str, *, below: bool) -> Sequence[FoundPath]:
        key = within if not below else "*"
        read_at, paths = self._known.get(key, (float("-inf"), ()))
        if time.monotonic() - read_at > _FRESH and key not in self._reading:
            self._reading.add(key)
            reading = asyncio.get_running_loop().run_in_executor(
                None, lambda: paths_below(self._folder) if below else paths_in(self._folder, within)
            )
            reading.add_done_callback(lambda done: self._take(key, done))
        return paths

    def _take(self, key: str, done: asyncio.Future[list[FoundPath]]) -> None:
        self._reading.discard(key)
        if done.cancelled() or done.exception() is not None:
            return
        before = self._known.get(key)
        self._known[key] = (time.monotonic(), done.result())
        if before is None or list(before[1]) != done.result():
            self._found()


def with_paths_named(text: str, folder: Path) -> str:
    """The text with every ``@path`` that is there, seen from ``folder``, written as a path: ``./docs/faq.md``."""

    def named(found: re.Match[str]) -> str:
        path = found["quoted"] or found["plain"].rstrip(_AFTER)
        try:
            exists = (folder / Path(path).expanduser()).exists()
        except (OSError, ValueError, RuntimeError):
            return found[0]
        rest = "" if found["quoted"] else found["plain"][len(path) :]
        return f"{written(path)}{rest}" if exists and path else found[0]

    return _NAMED.sub(named, text)


def written(path: str) -> str:
    """A path as it stands in a sentence: known as one by its beginning, in quotation marks where it has blanks."""
    path = path if path.startswith(_OUTSIDE) and not re.match(r"\.[^./]", path) else f"./{path}"
    return f'"{path}"' if re.search(r"\s", path) else path


def paths_below(folder: Path) -> list[FoundPath]:
    """Files and folders below one, the nearest first, without hidden ones and those that tools fill; at most ``_MOST_PATHS``."""
    found: list[FoundPath] = []
    waiting = deque([""])
    while waiting and len(found) < _MOST_PATHS:
        within = waiting.popleft()
        for path in _entries(folder / within, within):
            if path.path.rpartition("/")[2].startswith("."):
                continue
            found.append(path)
            if path.is_folder and path.path.rpartition("/")[2] not in _SKIPPED:
                waiting.append(f"{path.path}/")
    return found[:_MOST_PATHS]


def paths_in(folder: Path, within: str) -> list[FoundPath]:
    """What lies in ``within``, written from ``folder`` on; hidden files too."""
    try:
        place = folder / Path(within).expanduser()
    except RuntimeError:  # nobody's home
        return []
    return list(_entries(place, within))[:_MOST_PATHS]


def _entries(place: Path, within: str) -> Iterator[FoundPath]:
    try:
        with os.scandir(place) as entries:
            # Links to folders are not followed: they may lead in a circle.
            listed = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except (OSError, ValueError):
        return
    for name, is_folder in listed:
        if name.isprintable() and '"' not in name:  # others cannot be written into a sentence
            yield FoundPath(f"{within}{name}", is_folder)


def _best(paths: Sequence[FoundPath], typed: str) -> list[FoundPath]:
    sought = typed.casefold()
    ranked = [(rank, found) for found in paths if (rank := _rank(found.path.casefold(), sought)) is not None]
    ranked.sort(key=lambda one: (one[0], one[1].path.count("/"), len(one[1].path), one[1].path))
    return [found for _, found in ranked[:_MOST_SHOWN]]


def _rank(path: str, sought: str) -> int | None:
    """How well a path fits what is typed, 0 the best; None when it does not."""
    if path.startswith(sought):
        return 0
    if PurePath(path).name.startswith(sought):
        return 1
    if sought in path:
        return 2
    letters = iter(path)
    return 3 if all(letter in letters for letter in sought) else None


def _completion(before: str, found: FoundPath) -> Completion:
    if not found.is_folder:
        return Completion(f"{before}{written(found.path)} ", found.path, "file")
    inside = f"{found.path}/"
    return Completion(f'{before}@"{inside}' if re.search(r"\s", inside) else f"{before}@{inside}", inside, "folder")
