"""An accepted case as a record of MLflow."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_kind import CaseKind

SESSION_TAG = "dsbuilder_session"  # of datasets, records and runs: which session they are of


class DatasetRole(StrEnum):
    """Which of a session's datasets: MLflow keeps scenarios in one of their own."""

    RECORDS = "records"
    SCENARIOS = "scenarios"


def role_of(kind: CaseKind) -> DatasetRole:
    """The dataset that cases of a kind go to."""
    return DatasetRole.SCENARIOS if kind.has_own_dataset else DatasetRole.RECORDS


def case_record(case: AcceptedCase, session: str) -> dict[str, Any]:
    """The record: inputs and expectations as they are, everything else as tags."""
    record = case.record()
    tags = {**record["tags"], "seq": case.seq, "branch": "main", SESSION_TAG: session}
    source = {
        "source_type": "CODE",
        "source_data": {"made_by": "dsbuilder", "session": session, "case_id": case.case_id},
    }
    return {**record, "tags": tags, "source": source}
