"""``/pace``: cases a second of the built-in writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _pace(actions: StudioActions, argument: str) -> None:
    live = actions.live
    if argument:
        try:
            pace = 0.0 if argument.casefold() in ("off", "none", "max") else float(argument)
        except ValueError:
            pace = -1.0
        if not 0 <= pace < 1e6:
            raise InputError(f"/pace {argument[:20]} is not a number.", "Write cases a second, or off.")
        live.set_pace(pace)
    words = f"{live.pace:g} {'case' if live.pace == 1 else 'cases'} a second" if live.pace else "as fast as it goes"
    await live.tell(f"✓ The built-in writer's pace: {words}")


COMMAND = SlashCommand(
    name="pace",
    argument="[N|off]",
    choices=("off", "20", "60", "200"),
    words="cases a second of the built-in writer",
    rank=160,
    run=_pace,
)
