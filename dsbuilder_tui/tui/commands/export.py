"""``/export``: write the dataset in one of the formats, in splits where they are named behind the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.message import ErrorContent
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.dataset_split import read_shares
from dsbuilder_tui.session.export_formats import FORMATS, format_words
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _export(actions: StudioActions, argument: str) -> None:
    session = actions.live.session
    session.require_plan()
    name, _, last = argument.rpartition(" ")
    split = last if name and "=" in last else ""
    name = name.strip() if split else argument
    target = Path(name).expanduser() if name else session.dataset.path

    async def write() -> None:
        try:
            shares = read_shares(split) if split else None
            files = await session.exports.write(target, shares=shares, private=target.parent == session.folder)
        except DsbuilderError as error:
            await actions.live.tell(f"✗ {error}", ErrorContent())
        else:
            for file in files:
                await actions.live.tell(f"✓ Wrote {counted(file.cases, 'case')} to {file.path.absolute()}")

    actions.in_background(write(), group="export")


def _files(session: Session) -> list[str]:
    return [f"{session.id}{row.ending}" for row in FORMATS.all().values()]


COMMAND = SlashCommand(
    name="export",
    argument="[FILE [SPLITS]]",
    arguments=_files,
    words=f"write the dataset as {format_words()}",
    rank=130,
    run=_export,
)
