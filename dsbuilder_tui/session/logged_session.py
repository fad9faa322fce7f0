"""An open session as its run in MLflow keeps it, to be rebuilt from."""

from __future__ import annotations

from dsbuilder_tui.domain.case import runs
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.tracking.logged_session import LoggedExhausted, LoggedSession, LoggedText

_MOST_REMOVED = 2_000  # texts: more of them are not worth sending again whenever one is added


async def logged_session(files: SessionFiles, name: str) -> LoggedSession:
    """``name`` is what MLflow knows the session by. Costs as much as there are retired, exhausted and removed slots."""
    slots = files.store.slots
    return LoggedSession(
        session=name,
        seed=files.seed,
        provider=str(files.meta.get("provider", "")),
        worker_model=str(files.meta.get("worker_model", "")),
        settings=dict(files.meta.get("settings") or {}),
        revisions=await files.store.plans.places(),
        retired={category: list(runs(ordinals)) for category, ordinals in (await slots.retired()).items()},
        exhausted=[
            LoggedExhausted(category=one.category, ordinal=one.ordinal, attempts=one.attempts, reason=one.reason)
            for one in await slots.exhausted()
        ],
        removed=[
            LoggedText(category=one.category, ordinal=one.ordinal, inputs=one.inputs, expectations=one.expectations)
            for one in await slots.removed(_MOST_REMOVED)
        ],
    )
