"""``/fork``: begin a branch here, and work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _fork(actions: StudioActions, argument: str) -> None:
    live = actions.live
    if not argument:
        actions.services.draft("/fork ")  # it needs a name
        return
    branch = await live.session.branches.fork_here(argument)
    if not branch.current:
        await live.tell(
            f"✓ {branch.name} begins here. The run goes on where it is; /branches {branch.name} works on it then."
        )


COMMAND = SlashCommand(
    name="fork",
    argument="NAME",
    words="begin a branch here and work on it; its plan and settings may differ",
    rank=74,
    run=_fork,
)
