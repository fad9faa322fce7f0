"""The name of a session, changed while it is at rest."""

from __future__ import annotations

from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store import catalog


async def rename_at_rest(context: SessionContext, name: str) -> None:
    """As ``Session.rename``; the caller holds the session's acts."""
    context.only_at_rest()
    await context.files.rename(name)


async def take_name_of_plan(context: SessionContext) -> None:
    """As ``Session.take_name_of_plan``; the caller holds the session's acts."""
    context.only_at_rest()
    context.require_plan()
    folder = catalog.new_session_folder(
        context.files.folder.parent, context.plan.dataset_name, own=context.files.folder
    )
    await context.files.rename(folder.name)
