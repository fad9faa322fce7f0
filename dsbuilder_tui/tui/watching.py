"""The session that the app only watches, if there is one: opened, taken over when its window has left it, closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsbuilder_tui.tui.followed_session import FollowedSession

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp


class Watching:
    """Shows in the app what another window works on."""

    def __init__(self, app: StudioApp) -> None:
        self._app = app
        self.session: FollowedSession | None = None

    async def open(self, reference: str | Path) -> None:
        """Show a session in place of what is open. Raises ``DsbuilderError`` when it cannot be read."""
        app = self._app
        await app.close_session()
        self.session = followed = await FollowedSession.open(reference, app.config, app.clock)
        try:
            await app.push_named("studio", followed, await followed.messages())
        except BaseException:
            await self.close()
            raise

    async def take_over(self) -> None:
        """Open what was watched. Raises ``DsbuilderError`` when somebody else was faster, or it is gone."""
        if (followed := self.session) is not None:
            folder = followed.session.folder
            await self._app.leaving.go_home()
            await self._app.open_session(folder)

    async def close(self) -> None:
        """Watch no longer."""
        followed, self.session = self.session, None
        if followed is not None:
            await followed.close()
