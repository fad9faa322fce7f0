"""Keys, slash commands, where things are. The keys are read off the screens themselves, so they cannot be out of date."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dsbuilder_tui import __version__
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.tui.commands import slash_commands
from dsbuilder_tui.tui.paint.line import EMPTY, Line, fit, pad, wrap
from dsbuilder_tui.tui.screen_base import FullScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar, TopLine, key_name
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.wording import short_path

# Where keys are, in the order of the page: the title, and what has them.
_PLACES = (
    ("Everywhere", "app:StudioApp"), ("Go to", "goto.screen:GotoScreen"),
    ("Jump labels", "widgets.jump_labels:JumpLabels"), ("File", "widgets.file_preview:FilePreview"),
    ("Home", "home.screen:HomeScreen"), ("Studio", "studio.screen:StudioScreen"), ("Prompt", "studio.prompt:Prompt"),
    ("Card", "studio.cards:Card"), ("Panels", "studio.panels:Panel"),
    ("Newest cases", "studio.newest_cases:NewestCases"),
    ("Cases", "cases.screen:CasesScreen"), ("Coverage", "coverage.screen:CoverageScreen"),
    ("Grid", "coverage.heat_grid:HeatGrid"), ("Map", "map.screen:MapScreen"), ("Map plane", "map.plane:MapPlane"),
    ("Checkpoints", "checkpoints.screen:CheckpointsScreen"),
    ("Rejected", "rejected.screen:RejectedScreen"), ("Threshold what-if", "rejected.threshold_strip:ThresholdStrip"),
    ("Review", "review.screen:ReviewScreen"),
    ("Workers", "workers.screen:WorkersScreen"), ("Settings", "settings.screen:SettingsScreen"),
    ("Lists", "widgets.rows:RowList"),
)  # fmt: skip


def help_keys() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """All keys by place, as (place, [(binding key, how it is written, what it does)])."""
    found = []
    for name, path in _PLACES:
        module, _, kind = path.partition(":")
        bindings = getattr(importlib.import_module(f"dsbuilder_tui.tui.{module}"), kind).__dict__["BINDINGS"]
        own = [binding for binding in bindings if isinstance(binding, Binding)]
        rows = [(b.key, b.key_display or _written(b.key), b.description) for b in own]
        found.append((name, [row for row in rows if row[2]]))
    return found


_PROMISE = (
    "A person talks, a plan takes shape, workers write the cases, a gate turns repeats away, and everything accepted is "
    "saved at once. Whatever ends the app, nothing accepted is lost."
)


def _written(keys: str) -> str:
    """``up,k`` → ``↑ k``; of long names the shortest two."""
    names = [key_name(Binding(key, "")) for key in keys.split(",")]
    return " ".join(sorted(names, key=len)[:2])


class HelpScreen(FullScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "guide", "guide"),
        Binding("escape,f1,q", "dismiss", "back", key_display="esc"),
    ]

    def compose(self) -> ComposeResult:
        yield TopLine(lambda width: pad(((" dsbuilder ", "key"), (f" Help · version {__version__}", "muted")), width))
        with Vertical(id="help-pane", classes="pane"):
            yield LineView(self._lines, id="help")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#help-pane").border_title = "Keys"
        self.query_one("#help-pane").border_subtitle = "↑ ↓ scroll · g guide · esc back"
        self.query_one(LineView).focus()

    def action_guide(self) -> None:
        self.services.show_screen("guide")

    def _lines(self, width: int) -> Sequence[Line]:
        lines: list[Line] = [((row, "text"),) for row in wrap(_PROMISE, width)]
        column = max(38, width // 2 - 2) if width >= 90 else width
        blocks = [self._block(place, rows, column) for place, rows in help_keys()]
        blocks.append(
            self._block(
                "Slash commands",
                [("", f"/{c.name} {c.argument}".strip(), c.words) for c in slash_commands()],
                column,
                name=20,
            )
        )
        config = self.services.config
        places = [
            ("", "sessions", short_path(config.checkpoint_root)),
            ("", "your settings", short_path(user_config_file())),
            ("", "this folder's", "dsbuilder.toml, .env"),
        ]
        if column == width:
            for block in blocks:
                lines += [EMPTY, *block]
        else:
            half = sum(len(block) + 1 for block in blocks) // 2
            left: list[Line] = []
            right: list[Line] = []
            for block in blocks:
                side = left if len(left) < half else right
                side += [EMPTY, *block]
            for index in range(max(len(left), len(right))):
                a = left[index] if index < len(left) else EMPTY
                b = right[index] if index < len(right) else EMPTY
                lines.append((*pad(a, column), ("  ", "text"), *b))
        lines += [EMPTY, *self._block("Where things are", places, width, name=16)]
        return lines

    def _block(self, title: str, rows: Sequence[tuple[str, str, str]], width: int, *, name: int = 16) -> list[Line]:
        lines: list[Line] = [((title, "info"),)]
        for _, key, words in rows:
            told = wrap(words, width - name - 1)
            if cell_len(key) > name:  # nothing is cut: it has a line of its own then
                lines += [((row, "key"),) for row in wrap(key, width)]
                key = ""
            for number, row in enumerate(told):
                lines.append(((fit("" if number else key, name), "key"), (" ", "text"), (row, "text")))
        return lines
