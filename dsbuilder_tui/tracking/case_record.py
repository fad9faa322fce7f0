"""An accepted case as a record of MLflow."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.tracking.evaluation_records import EvaluationRecord

SESSION_TAG = "dsbuilder_session"  # of datasets, records, runs and traces of calls: which session they are of
CALLER_TAG = "dsbuilder_caller"  # of traces of dsbuilder's own calls: who called; other traces have none


class DatasetRole(StrEnum):
    """Which of a session's datasets: MLflow keeps scenarios in one of their own."""

    RECORDS = "records"
    SCENARIOS = "scenarios"


def role_of(kind: CaseKind) -> DatasetRole:
    """The dataset that cases of a kind go to."""
    return DatasetRole.SCENARIOS if kind.has_own_dataset else DatasetRole.RECORDS


def case_record(case: AcceptedCase, session: str, branch: str) -> dict[str, Any]:
    """The record: inputs and expectations as they are, everything else as tags. ``branch`` is the one on which it came."""
    record = case.record()
    tags = {**record["tags"], "seq": case.seq, "branch": branch, SESSION_TAG: session}
    source = {
        "source_type": "CODE",
        "source_data": {"made_by": "dsbuilder", "session": session, "case_id": case.case_id},
    }
    return {**record, "tags": tags, "source": source}


def case_of_record(record: EvaluationRecord, session: str) -> AcceptedCase | None:
    """The case that a record was made of; None for one of somebody else, or whose place is not told any more.

    ``seq`` is 0 where it is none.
    """
    tags = dict(record.tags)
    if tags.pop(SESSION_TAG, None) != session:
        return None
    tags.pop("branch", None)
    category, ordinal, seq = tags.pop("category", None), _number(tags.pop("slot", None)), _number(tags.pop("seq", None))
    tags.pop("case_id", None)
    if not isinstance(category, str) or not ordinal:
        return None
    return AcceptedCase(
        seq=seq,
        category=category,
        ordinal=ordinal,
        inputs=dict(record.inputs),
        expectations=dict(record.expectations),
        tags=tags,
        created_at=record.created_at,
    )


def _number(value: Any) -> int:
    """A place; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else 0
