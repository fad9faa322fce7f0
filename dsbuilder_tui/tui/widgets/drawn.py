"""What every widget and screen of ours knows: the app it lives in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from textual.app import App

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp


class _Placed(Protocol):
    @property
    def app(self) -> App[Any]: ...


# Plain classes: a style sheet is inherited from the first base that is a widget, which these must not be.
class InStudio:
    """Mixed into what only lives in our app."""

    @property
    def studio(self: _Placed) -> StudioApp:
        from dsbuilder_tui.tui.app import StudioApp

        app = self.app
        assert isinstance(app, StudioApp)
        return app


class Drawn(InStudio):
    """Mixed into widgets that draw their own lines: the mouse selects nothing in them."""

    def get_selection(self, selection: object) -> tuple[str, str] | None:
        return None
