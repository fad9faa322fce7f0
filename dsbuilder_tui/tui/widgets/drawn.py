"""What every widget and screen of ours knows: the app it lives in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.dom import DOMNode
from textual.widget import Widget

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp


class InStudio(DOMNode):
    """Mixed into what only lives in our app."""

    @property
    def studio(self) -> StudioApp:
        from dsbuilder_tui.tui.app import StudioApp

        app = self.app
        assert isinstance(app, StudioApp)
        return app


class Drawn(InStudio, Widget):
    """A widget that draws its own lines: the mouse selects nothing in it."""

    def get_selection(self, selection: object) -> tuple[str, str] | None:
        return None
