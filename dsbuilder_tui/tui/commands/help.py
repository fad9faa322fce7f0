"""``/help``: keys, commands, where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.message import CommandContent, MessageRole
from dsbuilder_tui.tui.commands import slash_commands
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _help(actions: StudioActions, argument: str) -> None:
    rows = "\n".join(f"| `/{c.name}` {c.argument.replace('|', '/')} | {c.words} |" for c in slash_commands())
    await actions.live.session.chat.add(
        MessageRole.DSBUILDER,
        f"| command | what it does |\n|---|---|\n{rows}\n\n**F1** shows the keys.",
        CommandContent(),
    )


COMMAND = SlashCommand(
    name="help",
    words="keys, commands, where things are",
    rank=200,
    run=_help,
)
