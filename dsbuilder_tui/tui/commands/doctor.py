"""``/doctor``: read everything of the session, and say what is whole."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.message import CommandContent, ErrorContent
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session.repair import examine_open_session
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _doctor(actions: StudioActions, argument: str) -> None:
    live = actions.live

    async def examine() -> None:
        try:
            findings = await examine_open_session(live.session)
            await live.session.endpoints.forget()
        except DsbuilderError as error:
            await live.tell(f"✗ {error}", ErrorContent())
            return
        name, damaged = live.session.id, any(finding.problem for finding in findings)
        lines = [f"**{visible(name)}** {'is damaged' if damaged else 'is whole'}:", ""]
        lines += [f"- {finding.line}" for finding in findings]
        if damaged:
            lines += [
                "",
                f"`dsbuilder doctor {shlex.quote(name)} --repair` makes a new session of what can be read; close this one first.",
            ]
        await live.tell("\n".join(lines), CommandContent())

    actions.in_background(examine(), group="doctor")


COMMAND = SlashCommand(
    name="doctor",
    words="read all of the session's files, and say what is whole",
    rank=65,
    run=_doctor,
)
