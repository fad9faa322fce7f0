"""``/branches``: list the branches, or work on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.branch import branch_words
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.message import CommandContent
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _branches(actions: StudioActions, argument: str) -> None:
    live = actions.live
    if argument:
        if live.running:
            raise InputError("Workers are writing on this branch.", "Pause first (^P); all that is accepted stays.")
        await live.session.branches.switch(argument)
        return
    lines = [f"- {branch_words(branch)}" for branch in await live.session.branches.all()]
    await live.tell("\n".join([*lines, "", "/branches NAME works on another one; F4 draws them."]), CommandContent())


COMMAND = SlashCommand(
    name="branches",
    argument="[NAME]",
    words="list the branches, or work on another one",
    rank=76,
    run=_branches,
)
