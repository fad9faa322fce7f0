"""``/switch SESSION``: another session in place of this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import session_folders
from dsbuilder_tui.tui.places.place import PlaceKind
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _switch(actions: StudioActions, argument: str) -> None:
    if not argument:
        actions.services.navigator.ask(only=PlaceKind.SESSION)
        return
    folders = {folder.name: folder for folder in session_folders(actions.live.session.folder.parent)}
    if argument not in folders:
        raise InputError(f"There is no session {argument[:80]!r}.", "/switch alone shows which there are.")
    actions.services.navigator.switch(str(folders[argument]))


def _others(session: Session) -> Sequence[str]:
    return [folder.name for folder in session_folders(session.folder.parent) if folder != session.folder]


COMMAND = SlashCommand(
    name="switch",
    argument="[SESSION]",
    words="open another session in place of this one",
    rank=182,
    key="ctrl+t",
    run=_switch,
    arguments=_others,
)
