"""How the studio's panels share the room of a terminal, by what matters now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsbuilder_tui.domain.run_state import RunState

WIDE = 100
"""From this width on the conversation and the panels stand side by side."""
WIDEST = 180
"""From this width on what is made has a column of its own."""
PROGRESS, MADE = ("plan", "workers", "coverage", "checkpoints"), ("cases", "rejected")
PANELS = (*PROGRESS, *MADE)
TABS = ("plan", "cases", "workers", "checkpoints", "rejected")
"""The panels of a narrow terminal, one a tab behind that of the conversation."""
FOLDED = 4
"""Below so many rows a panel is a line."""
_ALL = 1_000  # more than there are
_TALL = 50  # rows from which on nothing needs to be folded
_MOST_ROWS = 12  # of categories or workers, unless there is room to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelContents:
    """What there is to show: the state of the run, and how many rows each thing takes."""

    state: RunState = RunState.IDLE
    categories: int = 0
    workers: int = 1
    values: int = 0  # of the coverage: axes and their values
    cases: int = 0
    rejected: int = 0

    @property
    def busy(self) -> bool:
        return self.state in (RunState.RUNNING, RunState.PAUSING)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """In how many columns the screen is, and the rows of each panel, borders included: 1 is a folded one, 0 none."""

    columns: int
    heights: Mapping[str, int]


def arrange(width: int, height: int, contents: PanelContents) -> Arrangement:
    """The room of each panel on so many cells; those of a column fill it."""
    if width < WIDE:
        return Arrangement(1, dict.fromkeys(PANELS, height))
    if width >= WIDEST and contents.categories and (contents.cases or contents.busy):
        heights = _shared(height, PROGRESS, contents, apart=True) | _shared(height, MADE, contents, apart=True)
        return Arrangement(3, heights)
    return Arrangement(2, _shared(height, PANELS, contents, apart=False))


def _wants(room: int, contents: PanelContents, *, apart: bool) -> dict[str, int]:
    """What each panel could make use of."""
    if not contents.categories:
        return {**dict.fromkeys(PANELS, 0), "plan": _ALL}
    plan = min(contents.categories, _MOST_ROWS) + (1 if contents.categories > 1 else 0) + 2
    coverage = contents.values + 4 if contents.values else 0
    spacious = apart or room >= _TALL
    wants = {
        "plan": plan,
        "workers": 1,
        "coverage": coverage if spacious else 0,
        "checkpoints": FOLDED if spacious else 1,
        "cases": _ALL if contents.cases else 1,
        "rejected": min(9 if spacious else 6, max(contents.rejected + 2, FOLDED)) if contents.rejected else 1,
    }
    if contents.busy:  # what is made, and by whom
        wants |= {"workers": min(contents.workers, _MOST_ROWS) + 3, "cases": _ALL}
        wants["rejected"] = 9 if spacious else 6
    elif contents.state is RunState.IDLE and not contents.cases:  # what is going to be made
        wants |= {"plan": _about(contents), "coverage": coverage, "checkpoints": 1}
    elif contents.state is RunState.PAUSED:  # what is there, and saved
        wants["checkpoints"] = FOLDED
    elif room >= 40:  # what was made, and how good it is
        wants["coverage"] = coverage if apart else min(coverage, room // 3)
    return wants


def _about(contents: PanelContents) -> int:
    """Rows of a plan whose categories are described."""
    return 3 * contents.categories + 4


def _shared(room: int, panels: tuple[str, ...], contents: PanelContents, *, apart: bool) -> dict[str, int]:
    """The rows of a column, given to its panels."""
    wants = _wants(room, contents, apart=apart)
    given = {name: FOLDED if wants[name] > 1 else wants[name] for name in panels}
    for least in (1, 0):  # when rows are scarce they are folded, and then gone, the cases last
        for name in ("coverage", "checkpoints", "rejected", "workers", "plan", "cases"):
            if name in given and sum(given.values()) > room:
                given[name] = min(given[name], 0 if name == "coverage" else least)
    claims = [
        *(("cases", max(8, room // 3)), ("workers", 6)),  # before anybody has all that it could make use of
        *((name, _ALL) for name in ("plan", "workers", "rejected", "coverage", "checkpoints", "cases")),
    ]
    claims = [(name, min(rows, wants[name])) for name, rows in claims]
    claims += [("plan", _about(contents)), ("coverage", _ALL), ("plan", _ALL), ("workers", _ALL), ("rejected", _ALL)]
    for name, rows in claims:
        if given.get(name, 0) > 1:
            given[name] += max(0, min(rows - given[name], room - sum(given.values())))
    last = max(panels, key=lambda name: (given[name] > 1, given[name] > 0, panels.index(name)))
    given[last] += room - sum(given.values())
    return given
