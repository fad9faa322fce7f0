"""Triggers of the connection that note in the outbox what becomes of accepted cases, in the transaction that changes them."""

from __future__ import annotations

import sqlite3
from enum import StrEnum

from dsbuilder_tui.domain.case_kind import TAG, CaseKind

# The value of `meta` by which the triggers know whether cases of this session are logged.
LOGGED = "mlflow_logging"

_ON = f"EXISTS (SELECT 1 FROM meta WHERE key='{LOGGED}' AND value='true')"
KIND = f"coalesce(CASE WHEN json_valid({{0}}.tags) THEN json_extract({{0}}.tags, '$.{TAG}') END, '{CaseKind.SINGLE.value}')"
_PUT = (
    "INSERT INTO tracking_outbox (act, case_seq, kind, inputs, created_at) "
    "VALUES ('{act}', {row}.seq, {kind}, {inputs}, julianday('now') * 86400 - 210866760000);"  # seconds since 1970
)
# A record is merged where it is: what another text, other expectations or a tag less leave behind has to go first.
_TAG_GONE = (
    "(json_valid(OLD.tags) AND json_valid(NEW.tags) AND EXISTS "
    "(SELECT key FROM json_each(OLD.tags) EXCEPT SELECT key FROM json_each(NEW.tags)))"
)


class OutboxAct(StrEnum):
    """What is to be done at MLflow."""

    UPSERT = "upsert"
    DELETE = "delete"


def watch_cases(connection: sqlite3.Connection) -> None:
    """Have every change of an accepted case noted in the outbox while the session is logged, whoever makes it."""

    def put(act: OutboxAct, row: str, inputs: str) -> str:
        return _PUT.format(act=act.value, row=row, kind=KIND.format(row), inputs=inputs)

    deleted, sent = put(OutboxAct.DELETE, "OLD", "OLD.inputs"), put(OutboxAct.UPSERT, "NEW", "''")
    changed = f"(OLD.inputs IS NOT NEW.inputs OR OLD.expectations IS NOT NEW.expectations OR {_TAG_GONE})"
    for name, event, condition, body in (
        ("added", "INSERT", _ON, sent),
        ("removed", "DELETE", _ON, deleted),
        ("changed", "UPDATE", f"{_ON} AND {changed}", deleted + sent),
        ("retagged", "UPDATE", f"{_ON} AND NOT {changed} AND OLD.tags IS NOT NEW.tags", sent),
    ):
        connection.execute(
            f"CREATE TEMP TRIGGER outbox_{name} AFTER {event} ON main.accepted_case WHEN {condition} BEGIN {body} END"
        )
