"""Something in the app that can be gone to: a screen, a case, a batch, a checkpoint, a setting, a session, a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from dsbuilder_tui.domain.case import case_id


class PlaceKind(StrEnum):
    """What a place is; its ``name`` is as said here."""

    SCREEN = "screen"  # a row of the registry
    CASE = "case"  # a case id
    NUMBER = "number"  # the number of cases of several categories: which one is meant has to be chosen
    CATEGORY = "category"  # a category of the plan
    CELL = "cell"  # a category, with an axis and its value
    BATCH = "batch"  # the number of a worker call
    CHECKPOINT = "checkpoint"  # its number
    BRANCH = "branch"  # its name
    REJECTION = "rejection"  # its place in the session's history
    SETTING = "setting"  # its name
    SESSION = "session"  # its folder
    FILE = "file"  # its whole path
    PAGE = "page"  # a page of the guide


# The screen that shows a place of a kind; what is not here is none of a screen.
_SHOWN_BY = {
    PlaceKind.CASE: "cases", PlaceKind.CATEGORY: "cases", PlaceKind.CELL: "coverage", PlaceKind.BATCH: "workers",
    PlaceKind.CHECKPOINT: "checkpoints", PlaceKind.BRANCH: "checkpoints", PlaceKind.REJECTION: "rejected",
    PlaceKind.SETTING: "settings", PlaceKind.PAGE: "guide",
}  # fmt: skip
_SEPARATOR = "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go. ``axis`` and ``value`` are those of a cell; ``value`` of the cases' screen is what is searched for."""

    kind: PlaceKind
    name: str
    axis: str = ""
    value: str = ""

    @property
    def screen(self) -> str:
        """The screen that shows it, by its name in the registry; empty for what is shown otherwise."""
        return self.name if self.kind is PlaceKind.SCREEN else _SHOWN_BY.get(self.kind, "")

    @property
    def words(self) -> str:
        """How it is called in a sentence. May hold foreign text."""
        match self.kind:
            case PlaceKind.CASE:
                return self.name
            case PlaceKind.NUMBER:
                return f"#{self.name}"
            case PlaceKind.BATCH:
                return f"batch b{self.name}"
            case PlaceKind.CELL:
                return f"{self.name} × {self.value}"
            case PlaceKind.REJECTION:
                return "this rejection"
            case PlaceKind.SESSION | PlaceKind.FILE:
                return self.name.rpartition("/")[2]
            case PlaceKind.PAGE:
                return f"the page {self.name!r}"
            case _:
                return f"{self.kind} {self.name}"

    @property
    def token(self) -> str:
        """The place in letters and digits alone, so that nothing in it can be read as anything but a place."""
        rest = json.dumps([self.name, self.axis, self.value])
        return f"{self.kind}{_SEPARATOR}{rest.encode('utf-8', 'surrogatepass').hex()}"


def place_of(token: str) -> Place | None:
    """The place of a ``token``; None for what is none."""
    kind, _, rest = token.partition(_SEPARATOR)
    try:
        name, axis, value = json.loads(bytes.fromhex(rest))
        if not all(isinstance(part, str) for part in (name, axis, value)):
            return None
        return Place(kind=PlaceKind(kind), name=name, axis=axis, value=value)
    except (ValueError, TypeError):
        return None


def case_place(category: str, ordinal: int) -> Place:
    """The case that fills a slot."""
    return Place(kind=PlaceKind.CASE, name=case_id(category, ordinal))


def screen_place(name: str, words: str = "") -> Place:
    """A screen of the registry; that of the cases with what is searched for there."""
    return Place(kind=PlaceKind.SCREEN, name=name, value=words)
