"""The search for places: every one that a few typed words may mean, the likeliest first, in bounded steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.manual import topics
from dsbuilder_tui.session.library import session_folders
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.paint.line import plain
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place, screen_place
from dsbuilder_tui.tui.places.references import references
from dsbuilder_tui.tui.registry import SCREENS
from dsbuilder_tui.tui.watched import Watched
from dsbuilder_tui.wording import clock_time

MOST_FOUND = 100
_MOST_CELLS = 5_000  # that are looked through for a word
_MOST_POINTS = 500
_MOST_CASES = 20  # found by their text
_LEAST_TEXT = 2  # characters from which on the texts of cases are looked through
_DIGITS = "0123456789"
_MOST_DIGITS = 7
_SCREEN_WORDS = {
    "home": "the list of sessions", "studio": "conversation, plan, workers and what is made",
    "settings": "every setting, and where it came from", "help": "keys, commands, where things are",
    "guide": "the manual, in short pages",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place, what it is called, and a few words about it. Both may hold foreign text."""

    place: Place
    title: str
    words: str


class PlaceSearch:
    """Looks for places. What is in memory is found at once; numbers and texts of cases are asked of the session."""

    def __init__(
        self, watched: Watched | None, root: Path, visited: Sequence[Place], only: PlaceKind | None = None
    ) -> None:
        """``root`` is where the sessions are; ``visited`` are the places where the person was, the latest first. With
        ``only`` places of that kind are looked for and no others."""
        self.only = only
        self._watched = watched
        self._root = root
        self._visited = visited
        self._known: list[FoundPlace] = []
        self._cells: list[FoundPlace] = []

    async def prepare(self) -> None:
        """Read what there is: sessions, branches, checkpoints. Raises ``DsbuilderError``."""
        self._known = list(self._anywhere())
        if self._watched is not None:
            session = self._watched.session
            await self._watched.places.read_branches()
            points = await session.checkpoints.all(_MOST_POINTS)
            self._known += [
                FoundPlace(
                    Place(kind=PlaceKind.CHECKPOINT, name=str(point.id)),
                    f"checkpoint {point.id} {point.name}".strip(),
                    f"{point.branch} · {counted(point.accepted, 'case')} · {clock_time(point.created_at)}",
                )
                for point in reversed(points)
            ]
            self._known += [
                FoundPlace(
                    Place(kind=PlaceKind.BRANCH, name=branch.name),
                    f"branch {branch.name}",
                    counted(branch.accepted, "case"),
                )
                for branch in await session.branches.all()
            ]
        self._known.sort(key=lambda found: _ORDER.index(found.place.kind))

    def _anywhere(self) -> Iterator[FoundPlace]:
        watched = self._watched
        for row in SCREENS:
            if (watched is None and (row.of_session or row.name == "studio")) or (
                self._replaying and row.name == "home"
            ):
                continue
            words = row.words or _SCREEN_WORDS.get(row.name, "")
            yield FoundPlace(screen_place(row.name), row.name, f"{row.key.upper()} {words}".strip())
        if watched is not None:
            for category in watched.session.plan.categories:
                place = Place(kind=PlaceKind.CATEGORY, name=category.name)
                yield FoundPlace(place, category.name, f"category · {category.description}")
            self._cells = list(self._all_cells(watched))
        if not self._replaying:
            for folder in session_folders(self._root):
                if watched is None or folder != watched.session.folder:
                    yield FoundPlace(Place(kind=PlaceKind.SESSION, name=str(folder)), folder.name, "session")
            for name, about in DatasetBuilderConfig.model_fields.items():
                yield FoundPlace(Place(kind=PlaceKind.SETTING, name=name), name, f"setting · {about.description or ''}")
        for topic in topics():
            yield FoundPlace(Place(kind=PlaceKind.PAGE, name=topic.name), topic.title, f"guide · {topic.name}")

    @property
    def _replaying(self) -> bool:
        return self._watched is not None and self._watched.replaying

    def _all_cells(self, watched: Watched) -> Iterator[FoundPlace]:
        left = _MOST_CELLS
        for value, axes in watched.places.names.values.items():
            for category, axis in axes.items():
                if not left:
                    return
                left -= 1
                place = Place(kind=PlaceKind.CELL, name=category, axis=axis, value=value)
                yield FoundPlace(place, f"{category} × {value}", f"coverage · {axis}")

    # In memory

    def known(self, query: str) -> list[FoundPlace]:
        """The places that fit by their names, the likeliest first; without words where the person was, and all there are."""
        words = query.casefold().replace("×", " ").split()
        among, only = [*self._known, *self._cells], self.only
        if only is None and len(words) > 1 and words[0] in _KINDS:  # ``setting max``, ``session shop``
            only = _KINDS[words.pop(0)]
        if only is not None:
            among = [found for found in among if found.place.kind is only]
        if not words:
            names = {found.place: found for found in among}
            visited = [names.get(place) or _as_visited(place) for place in self._visited if only in (None, place.kind)]
            return [*dict.fromkeys([*visited, *(found for found in among if found.place.kind is not PlaceKind.CELL)])][
                :MOST_FOUND
            ]
        ranked = [(rank, found) for found in among if (rank := _rank(" ".join(words), words, found)) is not None]
        return [found for _, found in sorted(ranked, key=lambda pair: pair[0])][:MOST_FOUND]

    # Asked of the session

    async def named(self, query: str) -> list[FoundPlace]:
        """What the query names as a text would: a case by id or number, a batch, a file. Raises ``DsbuilderError``."""
        watched, query = self._watched, query.strip()
        if watched is None or not query or self.only is not None:
            return []
        found: dict[Place, FoundPlace] = {}
        for case in await self._numbered(watched, query):
            found[case_place(case.category, case.ordinal)] = _of_case(case)
        for link in references(query, watched.places.names):
            whole = link.end - link.start >= len(query) - 2
            place = await watched.places.find(link.place) if whole else None
            if place is not None and place.kind is not PlaceKind.NUMBER and place not in found:
                found[place] = await self._about(watched, place)
        return list(found.values())

    async def _numbered(self, watched: Watched, query: str) -> list[AcceptedCase]:
        """The cases of ``143``, ``#143``, ``refunds 143``, ``refunds-143``."""
        named = query.rstrip(_DIGITS)
        digits, wanted = query[len(named) :], named.rstrip(" #-")
        if not 0 < len(digits) <= _MOST_DIGITS or wanted == named != "":
            return []
        cases = await watched.session.cases.numbered(int(digits))
        return [case for case in cases if wanted.casefold() in case.category.casefold()]

    async def _about(self, watched: Watched, place: Place) -> FoundPlace:
        if place.kind is PlaceKind.CASE:
            case = await _case(watched, place)
            if case is not None:
                return _of_case(case)
        known = next((found for found in (*self._known, *self._cells) if found.place == place), None)
        return known or FoundPlace(place, place.words, str(place.kind))

    async def cases(self, query: str) -> AsyncIterator[list[FoundPlace]]:
        """The newest cases that hold every word, a few; a list as often as something was looked through. Raises
        ``DsbuilderError``."""
        watched = self._watched
        if watched is None or self.only is not None or len(query.strip()) < _LEAST_TEXT:
            return
        found: list[FoundPlace] = []
        async for step in watched.session.cases.search(query, newest_first=True):
            if step.seqs:
                cases = await watched.session.cases.by_seq(list(step.seqs)[: _MOST_CASES - len(found)])
                found += [_of_case(case) for case in cases]
            yield found
            if len(found) >= _MOST_CASES:
                return


_ORDER = (
    PlaceKind.SCREEN, PlaceKind.CATEGORY, PlaceKind.SESSION, PlaceKind.CHECKPOINT, PlaceKind.BRANCH, PlaceKind.SETTING,
    PlaceKind.PAGE,
)  # fmt: skip


_KINDS = {str(kind): kind for kind in (*_ORDER, PlaceKind.CELL)} | {"guide": PlaceKind.PAGE, "manual": PlaceKind.PAGE}


def _rank(query: str, words: Iterable[str], found: FoundPlace) -> tuple[int, int] | None:
    """How well a place fits, the smaller the better; None when a word is missing."""
    title = plain(found.title).casefold()
    about = f"{title} {found.words.casefold()} {found.place.kind}"
    if not all(word in about for word in words):
        return None
    if title == query:
        fit = 0
    elif title.startswith(query):
        fit = 1
    elif f" {query}" in title:
        fit = 2
    else:
        fit = 3 if query in title else 4 if all(word in title for word in words) else 5
    return fit, len(title) if fit < 5 else 0


def _of_case(case: AcceptedCase) -> FoundPlace:
    text = display_text(case.inputs) if not case.damaged else "damaged"
    return FoundPlace(case_place(case.category, case.ordinal), case.case_id, text)


def _as_visited(place: Place) -> FoundPlace:
    return FoundPlace(place, place.words, f"{place.kind} · visited")


async def _case(watched: Watched, place: Place) -> AcceptedCase | None:
    found = await watched.session.cases.numbered(int(place.name.rpartition("-")[2]))
    return next((case for case in found if case.case_id == place.name), None)
