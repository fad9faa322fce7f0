"""Whether there is what a text names: asked of the session beside everything else, and remembered until something changes."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from dsbuilder_tui.domain.case import slot_of
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.events import (
    BatchStarted,
    BranchMerged,
    BranchSwitched,
    CaseAccepted,
    CaseWithdrawn,
    CheckpointSaved,
    Event,
    PlanRevised,
    RunFinished,
    RunPaused,
)
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import SESSION_FILE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place
from dsbuilder_tui.tui.places.references import ALL_KINDS, PlaceNames, TextLink, references
from dsbuilder_tui.tui.registry import SCREENS

_MOST_KNOWN = 4_000
_MOST_WONDERED = 500
_MOST_VALUES = 2_000  # attribute values by which cells are recognised
_CHANGES = (BranchMerged, BranchSwitched, CaseWithdrawn, CheckpointSaved, PlanRevised, RunFinished, RunPaused)
_BRANCHES = Place(kind=PlaceKind.BRANCH, name="")  # asked for so that their names are known
_ADDITIONS = (BatchStarted, CaseAccepted)


class PlaceFinder:
    """Finds places of a session. What is asked of it costs the same at any number of cases, and never waits on the screen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Place, Place | None] = {}
        self._wondered: dict[Place, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._names_for: DatasetPlanInput | None = None
        self._names = PlaceNames()
        self._branches: Collection[str] = ()
        self._missing: set[Place] = set()  # what was asked for and is not there
        self._doubted: set[Place] = set()  # known so far, to be asked again

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` when more is known; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def heard(self, event: Event) -> None:
        """Take note of what happened: what was known may be so no longer."""
        if isinstance(event, _CHANGES):
            self._doubted = set(self._known)
        elif isinstance(event, _ADDITIONS):
            self._doubted |= self._missing
            self._missing.clear()

    @property
    def names(self) -> PlaceNames:
        """The names by which places of the session are recognised."""
        plan = self._session.plan
        if plan is not self._names_for or self._names.branches is not self._branches:
            self._names_for = plan
            values: dict[str, dict[str, str]] = {}
            for category in plan.categories:
                for axis, own in slot_axes(plan, category).items():
                    for value in own:
                        if len(values) < _MOST_VALUES or value in values:
                            values.setdefault(value, {}).setdefault(category.name, axis)
            categories = frozenset(category.name for category in plan.categories)
            self._names = PlaceNames(categories=categories, branches=self._branches, values=values)
        return self._names

    def links(self, text: str, kinds: Collection[PlaceKind] = ALL_KINDS, *, asks: bool = True) -> Sequence[TextLink]:
        """The parts of a text that name something that is known to be there. What is not known yet is asked for: the
        listeners are called when it is. Beside the event loop nothing can be asked: say so with ``asks``."""
        found = []
        if asks and PlaceKind.BRANCH in kinds and "branch" in text and _BRANCHES not in self._known:
            self._wonder(_BRANCHES)
        for link in references(text, self.names, kinds):
            if (place := self._known.get(link.place)) is not None:
                found.append(TextLink(link.start, link.end, place))
            if asks and (link.place not in self._known or link.place in self._doubted):
                self._wonder(link.place)
        return found

    def _wonder(self, place: Place) -> None:
        if len(self._wondered) < _MOST_WONDERED:
            self._wondered[place] = None
        if self._task is None:
            try:
                self._task = asyncio.get_running_loop().create_task(self._answer())
            except RuntimeError:
                return  # drawn without a loop: then nothing can be asked

    async def _answer(self) -> None:
        try:
            while self._wondered:
                place = next(iter(self._wondered))
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                    self._doubted.clear()
                self._doubted.discard(place)
                try:
                    found = await self.find(place)
                except DsbuilderError:
                    found = None  # whoever follows it is told what is wrong
                self._known[place] = found
                if found is None:
                    self._missing.add(place)
                self._wondered.pop(place, None)
        finally:
            self._task = None
        for listener in tuple(self._listeners):
            listener()

    async def close(self) -> None:
        """Ask for nothing more."""
        self._wondered.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def find(self, wanted: Place) -> Place | None:
        """What a name means as things are now; None when there is no such thing. Raises ``DsbuilderError``."""
        session, name = self._session, wanted.name
        match wanted.kind:
            case PlaceKind.CASE:
                slot = slot_of(name)
                there = slot is not None and slot[0] in self.names.categories and await session.cases.get(*slot)
                return wanted if there else None
            case PlaceKind.NUMBER:
                numbered = await session.cases.numbered(int(name))
                if len(numbered) == 1:
                    return case_place(numbered[0].category, numbered[0].ordinal)
                return wanted if numbered else None
            case PlaceKind.BATCH:
                live = any(trace.batch == int(name) for trace in session.calls.live())
                return wanted if live or await session.calls.place(int(name)) is not None else None
            case PlaceKind.CHECKPOINT:
                with contextlib.suppress(InputError):
                    await session.checkpoints.at(int(name))
                    return wanted
                return None
            case PlaceKind.BRANCH:
                await self.read_branches()
                return wanted if name in self._branches else None
            case PlaceKind.REJECTION:
                return wanted if await session.rejections.place(int(name)) is not None else None
            case PlaceKind.CATEGORY:
                return wanted if name in self.names.categories else None
            case PlaceKind.CELL:
                axis = self.names.values.get(wanted.value, {}).get(name)
                return wanted if axis is not None else None
            case PlaceKind.FILE:
                roots = (Path.cwd(), session.folder.parent)
                path = await asyncio.to_thread(readable_file, name, roots)
                return None if path is None else Place(kind=PlaceKind.FILE, name=str(path))
        return await find_anywhere(wanted)

    async def read_branches(self) -> None:
        """Know the names of the session's branches."""
        found = [branch.name for branch in await self._session.branches.all()]
        if found != list(self._branches):
            self._branches = found


async def find_anywhere(wanted: Place) -> Place | None:
    """What a name means where no session is needed for it: a screen, a setting, a page of the guide, a session."""
    from dsbuilder_tui.manual.pages import NAMES

    match wanted.kind:
        case PlaceKind.SCREEN:
            there = wanted.name in {row.name for row in SCREENS}
        case PlaceKind.SETTING:
            there = wanted.name in DatasetBuilderConfig.model_fields
        case PlaceKind.PAGE:
            there = wanted.name in NAMES
        case PlaceKind.SESSION:
            there = await asyncio.to_thread((Path(wanted.name) / SESSION_FILE).is_file)
        case _:
            there = False
    return wanted if there else None


def readable_file(name: str, roots: Sequence[Path]) -> Path | None:
    """The whole path of an ordinary file below one of these folders; None for anything else, hidden files too.

    Nothing elsewhere is even looked for: a text must not make the app reach for another machine or a device.
    """
    try:
        path = Path(name).expanduser().absolute()
        above = next((top for root in roots if path.is_relative_to(top := root.absolute())), None)
        if above is None or any(part.startswith(".") for part in path.relative_to(above).parts):
            return None
        real = path.resolve(strict=True)
        return path if real.is_relative_to(above.resolve()) and stat.S_ISREG(real.stat().st_mode) else None
    except (OSError, ValueError, RuntimeError):
        return None
