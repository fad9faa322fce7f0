"""The screens of the app, one row each: where it lies, which key opens it, what its slash command says.

A row is an import path, loaded when the screen is wanted, so that the first frame waits for none of them.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRow:
    """``path`` is ``module:Class``. One ``of_session`` is made with the session that is looked at, and opened from the studio
    by ``key`` and by a slash command of its ``name``; ``words`` and ``argument`` are what the command's help says.
    """

    name: str
    path: str
    key: str = ""
    words: str = ""
    argument: str = ""
    of_session: bool = True

    def load(self) -> Any:
        """The screen's class."""
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)


_HERE = "dsbuilder_tui.tui"
SCREENS = (
    ScreenRow(name="home", path=f"{_HERE}.home.screen:HomeScreen", of_session=False),
    ScreenRow(name="studio", path=f"{_HERE}.studio.screen:StudioScreen", of_session=False),
    ScreenRow(
        name="cases", path=f"{_HERE}.cases.screen:CasesScreen", key="f2", argument="[WORDS]",
        words="look at the accepted cases, and search them",
    ),
    ScreenRow(
        name="coverage", path=f"{_HERE}.coverage.screen:CoverageScreen", key="f3",
        words="what the cases cover, and how different they are",
    ),
    ScreenRow(name="checkpoints", path=f"{_HERE}.checkpoints.screen:CheckpointsScreen", key="f4", words="the timeline"),
    ScreenRow(
        name="rejected", path=f"{_HERE}.rejected.screen:RejectedScreen", key="f5",
        words="what was turned away, beside what it repeats",
    ),
    ScreenRow(
        name="workers", path=f"{_HERE}.workers.screen:WorkersScreen", key="f6",
        words="each call: prompt, answer, retries, tokens",
    ),
    ScreenRow(
        name="map", path=f"{_HERE}.map.screen:MapScreen", key="f7", words="the cases as points, like ones near one another",
    ),
    ScreenRow(
        name="review", path=f"{_HERE}.review.screen:ReviewScreen", key="f8", argument="[CATEGORY]",
        words="look at the cases that deserve it, one after the other",
    ),
    ScreenRow(name="settings", path=f"{_HERE}.settings.screen:SettingsScreen", of_session=False),
    ScreenRow(name="help", path=f"{_HERE}.help.screen:HelpScreen", of_session=False),
    ScreenRow(name="guide", path=f"{_HERE}.help.guide:GuideScreen", of_session=False),
)  # fmt: skip


def screen_row(name: str) -> ScreenRow:
    """Raises ``KeyError`` for a screen that is not there."""
    return {row.name: row for row in SCREENS}[name]


def session_screens() -> list[ScreenRow]:
    """The screens about a session, in the order of their keys."""
    return [row for row in SCREENS if row.of_session]
