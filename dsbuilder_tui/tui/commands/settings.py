"""``/settings``: every setting, and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _settings(actions: StudioActions, argument: str) -> None:
    actions.services.show_screen("settings")


COMMAND = SlashCommand(
    name="settings",
    words="every setting, and where it came from",
    rank=180,
    run=_settings,
)
