"""Colours by role, and the three themes that fill the roles."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme

from dsbuilder_tui.tui.paint.line import Line

# What a colour may mean. A theme gives each a colour; meaning is never in the colour alone.
ROLES = (
    "text", "strong", "muted", "faint", "accent", "good", "warn", "bad", "info", "edge", "focus", "track", "cursor", "mark",
)  # fmt: skip
_BOLD = {"strong", "key"}

_DARK = {
    "text": "#d5d8e0", "strong": "#f2f3f7", "muted": "#8a90a2", "faint": "#5d6376", "accent": "#73d7c0", "good": "#a3d977",
    "warn": "#f0b64c", "bad": "#f2777a", "info": "#86aefc", "edge": "#363b4b", "focus": "#73d7c0", "track": "#2f3443",
    "ground": "#14161e", "raised": "#1b1f2a", "selected": "#263145",
}  # fmt: skip
_LIGHT = {
    "text": "#2a2e38", "strong": "#0d1017", "muted": "#5f6675", "faint": "#8d94a3", "accent": "#00766a", "good": "#3b7a10",
    "warn": "#9a5b00", "bad": "#b8232f", "info": "#2358c5", "edge": "#c8ccd5", "focus": "#00766a", "track": "#d9dce3",
    "ground": "#fafafa", "raised": "#eff1f4", "selected": "#d9e6f5",
}  # fmt: skip
_CONTRAST = {
    "text": "#ffffff", "strong": "#ffffff", "muted": "#e0e0e0", "faint": "#c0c0c0", "accent": "#00ffd5", "good": "#80ff40",
    "warn": "#ffd000", "bad": "#ff8080", "info": "#9cc8ff", "edge": "#a0a0a0", "focus": "#ffff00", "track": "#606060",
    "ground": "#000000", "raised": "#000000", "selected": "#003a8c",
}  # fmt: skip

COLOURS = {"dark": _DARK, "light": _LIGHT, "high-contrast": _CONTRAST}
PREFIX = "dsbuilder-"
HEATS = 5  # roles heat1 … heat5
_MOST_STYLES = 2_000  # that are kept: each link has one of its own, and a long run shows a new one every moment


def themes() -> list[Theme]:
    """The app's themes as Textual wants them; their colours are CSS variables by role (``$edge``, ``$muted`` …)."""
    return [
        Theme(
            name=PREFIX + name,
            primary=c["accent"], secondary=c["info"], accent=c["accent"], success=c["good"], warning=c["warn"],
            error=c["bad"], foreground=c["text"], background=c["ground"], surface=c["ground"], panel=c["raised"],
            boost=c["raised"], dark=name != "light", text_alpha=1.0,
            variables={
                **{f"ds-{role}": colour for role, colour in c.items()},
                "input-cursor-background": c["accent"], "input-cursor-foreground": c["ground"],
                "input-selection-background": c["selected"],
                "block-cursor-background": c["selected"], "block-cursor-foreground": c["strong"],
                "block-cursor-text-style": "none",
                "scrollbar": c["track"], "scrollbar-hover": c["faint"], "scrollbar-active": c["accent"],
                "scrollbar-background": c["ground"], "scrollbar-background-hover": c["ground"],
                "scrollbar-background-active": c["ground"], "scrollbar-corner-color": c["ground"],
                "border": c["edge"], "border-blurred": c["edge"], "footer-background": c["raised"],
                "link-color": c["info"], "link-style": "underline", "link-background-hover": c["selected"],
                "link-color-hover": c["strong"],
                "markdown-h1-color": c["strong"], "markdown-h2-color": c["strong"], "markdown-h3-color": c["strong"],
            },
        )
        for name, c in COLOURS.items()
    ]  # fmt: skip


def _mixed(first: str, second: str, share: float) -> str:
    """The colour so far on the way from the first to the second."""
    pairs = zip(bytes.fromhex(first[1:]), bytes.fromhex(second[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


class Palette:
    """Styles by role for one theme. Roles may be joined: ``"accent+cursor"``, ``"warn+bold"``."""

    def __init__(self, name: str) -> None:
        colours = COLOURS.get(name, _DARK)
        self.name = name
        self._styles = {role: Style(color=colours.get(role, colours["text"])) for role in ROLES}
        self._styles["strong"] = Style(color=colours["strong"], bold=True)
        self._styles["key"] = Style(color=colours["accent"], bold=True)
        self._styles["bold"] = Style(bold=True)
        self._styles["cursor"] = Style(bgcolor=colours["selected"])
        self._styles["ground"] = Style(bgcolor=colours["ground"])
        self._styles["raised"] = Style(bgcolor=colours["raised"])
        for step in range(1, HEATS + 1):  # grounds of cells, the fuller the stronger; text must stay readable on them
            self._styles[f"heat{step}"] = Style(bgcolor=_mixed(colours["ground"], colours["accent"], 0.065 * step))
        self._styles["mark"] = Style(color=colours["warn"], bold=True)
        self._styles["link"] = Style(color=colours["info"], underline=True)
        self._styles["reverse"] = Style(reverse=True)
        self._made: dict[tuple[str, str, str], Style] = {}

    def style(self, role: str, action: str = "", ground: str = "ground") -> Style:
        """The style of a role on a ground; with ``action`` a click runs it."""
        found = self._made.get((role, action, ground))
        if found is None:
            parts = [ground, *role.split("+")]
            found = Style.combine([self._styles.get(part, self._styles["text"]) for part in parts])
            if action:
                found += Style.from_meta({"@click": action})
            if len(self._made) >= _MOST_STYLES:
                self._made.clear()
            self._made[role, action, ground] = found
        return found

    def strip(self, line: Line, width: int, ground: str = "ground") -> Strip:
        """A line as Textual draws it, ``width`` cells wide."""
        style = self.style
        segments = [Segment(s[0], style(s[1], s[2] if len(s) == 3 else "", ground)) for s in line]
        return Strip(segments).adjust_cell_length(width, style("text", "", ground))
