"""``/retry``: try the exhausted slots again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _retry(actions: StudioActions, argument: str) -> None:
    count = await actions.live.session.cases.retry_exhausted()
    if not count:
        raise InputError("No slot is exhausted.", "/status says where the session stands.")
    await actions.live.reread()
    await actions.live.tell(f"✓ {counted(count, 'slot')} open again")
    actions.begin_run()


COMMAND = SlashCommand(
    name="retry",
    words="try the exhausted slots again",
    rank=50,
    run=_retry,
)
