"""A session and its datasets compared record by record: what is missing, too many or different."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dsbuilder_tui.domain.branch import HeadLine
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tracking.case_record import SESSION_TAG, DatasetRole, case_record, role_of
from dsbuilder_tui.tracking.evaluation_records import EvaluationRecords, input_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What comparing has found, and mended: numbers of records. ``merged`` cases have the inputs of another one, with which
    MLflow keeps them as one record; ``of_others`` were added by somebody else, and stay.
    """

    records: int
    added: int = 0
    deleted: int = 0
    mended: int = 0
    merged: int = 0
    of_others: int = 0

    @property
    def words(self) -> str:
        """``1,000 records, as in the session``, or what was done to make them so."""
        acts = {"added": self.added, "deleted": self.deleted, "mended": self.mended}
        done = ", ".join(f"{count:,} {act}" for act, count in acts.items() if count)
        parts = [f"{counted(self.records, 'record')}, {done if done else 'as in the session'}"]
        if self.merged:
            parts.append(f"{counted(self.merged, 'case')} with the inputs of another one merged into it by MLflow")
        if self.of_others:
            parts.append(f"{counted(self.of_others, 'record')} of somebody else left alone")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDifference:
    """What is to be done to one dataset: records to delete, and the places of cases to send."""

    delete: tuple[str, ...]
    missing: tuple[int, ...]
    different: tuple[int, ...]
    of_others: int


class _Wanted(NamedTuple):
    """A record as it should be: the case it is of, and a digest of what its expectations and tags hold under these keys."""

    seq: int
    keys: tuple[tuple[str, ...], tuple[str, ...]]
    digest: bytes


class Reconciliation:
    """Told of all cases, then compared with each dataset. Keeps some 200 bytes a case."""

    def __init__(self, session: str, line: HeadLine) -> None:
        self._session, self._line = session, line
        self._wanted: dict[DatasetRole, dict[str, _Wanted]] = {}
        self._shared: set[str] = set()  # inputs that several cases have: the record holds what all of them say
        self._keys: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.cases = 0

    def add(self, cases: Iterable[AcceptedCase]) -> None:
        """Some more of the session's cases, oldest first."""
        for case in cases:
            if case.damaged:
                continue
            self.cases += 1
            record = case_record(case, self._session, self._line.branch_of(case.seq))
            wanted, key = self._wanted.setdefault(role_of(case.kind), {}), input_key(case.inputs)
            if key in wanted:
                self._shared.add(key)
            keys = (tuple(sorted(record["expectations"])), tuple(sorted(record["tags"])))
            keys = self._keys.setdefault(keys, keys)
            wanted[key] = _Wanted(case.seq, keys, _digest(record["expectations"], record["tags"], keys))

    @property
    def records(self) -> int:
        """How many records there should be."""
        return sum(map(len, self._wanted.values()))

    def compare(self, store: EvaluationRecords, dataset: str, role: DatasetRole) -> DatasetDifference:
        """What differs. Reads the whole dataset, a page at a time. Keys that somebody added to a record are no difference."""
        wanted = self._wanted.get(role, {})
        left, delete, different, of_others = dict(wanted), [], [], 0
        for page in store.pages(dataset):
            for record in page:
                one = wanted.get(record.key)
                if one is None:
                    if record.tags.get(SESSION_TAG) == self._session:
                        delete.append(record.id)
                    else:
                        of_others += 1
                    continue
                left.pop(record.key, None)
                same = _digest(record.expectations, record.tags, one.keys) == one.digest
                if not same and record.key not in self._shared:
                    different.append(one.seq)
        return DatasetDifference(
            delete=tuple(delete), missing=tuple(one.seq for one in left.values()), different=tuple(different),
            of_others=of_others,
        )  # fmt: skip


def _digest(
    expectations: Mapping[str, Any], tags: Mapping[str, Any], keys: tuple[tuple[str, ...], tuple[str, ...]]
) -> bytes:
    of_expectations, of_tags = keys
    said = [{key: expectations.get(key) for key in of_expectations}, {key: tags.get(key) for key in of_tags}]
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=12).digest()
