"""The name of a session, changed while it is at rest."""

from __future__ import annotations

from dsbuilder_tui.domain.undo import ActKind, NameFacts
from dsbuilder_tui.session.acting import new_act
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store import catalog


async def rename_at_rest(context: SessionContext, name: str) -> None:
    """As ``Session.rename``; the caller holds the session's acts."""
    context.only_at_rest()
    await _rename(context, name)


async def take_name_of_plan(context: SessionContext) -> None:
    """As ``Session.take_name_of_plan``; the caller holds the session's acts."""
    context.only_at_rest()
    context.require_plan()
    folder = catalog.new_session_folder(
        context.files.folder.parent, context.plan.dataset_name, own=context.files.folder
    )
    await _rename(context, folder.name)


async def _rename(context: SessionContext, name: str) -> None:
    files, before = context.files, context.files.id
    await files.rename(name)
    act = new_act(files, ActKind.SESSION_RENAMED, NameFacts(before=before, after=files.id))
    if act is not None and before != files.id:
        await files.store.undo_log.record(act)
