"""Traces of an application as a dataset: what its users asked, as cases or to begin from, held against the plan's rules."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.dedup import deduplicate
from dsbuilder_tui.domain.case import TIMES_ASKED
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.lint.row_rules import RowRules
from dsbuilder_tui.session.library import ImportedDataset
from dsbuilder_tui.session.row_files import FieldChoice, add_rows, extend_rows
from dsbuilder_tui.session.traced_rows import traced_rows
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.row_parts import Parts
from dsbuilder_tui.tracking.trace_rows import TRACE_ID

_LONGEST_REASON = 120  # characters


def traced_dataset(
    query: TraceQuery,
    config: DatasetBuilderConfig,
    now: float,
    *,
    more: int | None = None,
    plan: DatasetPlanInput | None = None,
    choice: FieldChoice | None = None,
) -> ImportedDataset:
    """The traces that are asked for as a dataset; ``now`` is in seconds since 1970. Blocks.

    With ``more`` it has so many open slots beside them (0: for a change of its plan), with a ``plan`` they stand before its
    cases; with neither they are the cases themselves, of like ones the first. What was asked several times, word for word, is
    one case, whose tag ``times_asked`` says how often; shares go by that. A request that breaks a rule of the plan, or one of
    those that always hold, is left out, and told. Raises as ``traced_rows``, and ``InputError`` where no request is left.
    """
    with traced_rows(query, config, now) as traced, tempfile.TemporaryDirectory(prefix="dsbuilder-") as folder:
        path, notes = Path(folder) / "merged" / traced.path.name, list(traced.notes)
        path.parent.mkdir()
        if merged := _merged(traced.path, path):
            were = "was" if merged == 1 else "were"
            notes.append(f"{counted(merged, 'request')} {were} asked several times: each is there once, with how often")
        if more is None and plan is None:
            once = Path(folder) / path.name
            report = deduplicate(path, out=once, config=config)
            path, left_out = once, report.rows - report.kept
            if left_out:
                notes.append(f"{counted(left_out, 'request')} left out: nearly the same was asked before")
        dataset = _dataset(path, more, plan, choice)
        if faulty := _faulty(dataset):
            kept = Path(folder) / "kept" / path.name
            kept.parent.mkdir()
            if not _without(path, kept, faulty):
                raise InputError(
                    f"No request keeps the rules of the plan: {next(iter(faulty.values()))}",
                    "Take the rule out of the plan's validators, or ask for other traces.",
                )
            notes.append(
                f"{counted(len(faulty), 'request')} left out that {'breaks' if len(faulty) == 1 else 'break'} a rule of the "
                f"plan: {next(iter(faulty.values()))}"
            )
            dataset = _dataset(kept, more, plan, choice)
        return replace(dataset, notes=[*notes, *dataset.notes])


def _merged(path: Path, out: Path) -> int:
    """Write each request once, in the order in which they were first asked; returns how many were asked more than once."""
    times = Counter[bytes]()
    with path.open("rb") as rows:
        for line in rows:
            times[_key(orjson.loads(line))] += 1
    written = set[bytes]()
    with path.open("rb") as rows, out.open("wb") as merged:
        for line in rows:
            record = orjson.loads(line)
            key = _key(record)
            if key in written:
                continue
            written.add(key)
            if times[key] > 1:
                line = orjson.dumps({**record, "tags": {**record["tags"], TIMES_ASKED: times[key]}}) + b"\n"
            merged.write(line)
    return sum(count > 1 for count in times.values())


def _key(record: Mapping[str, Any]) -> bytes:
    """What is the same for equal inputs alone."""
    return hashlib.blake2b(orjson.dumps(record["inputs"], option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _dataset(
    path: Path, more: int | None, plan: DatasetPlanInput | None, choice: FieldChoice | None
) -> ImportedDataset:
    return extend_rows(path, more or 0, choice) if plan is None else add_rows(plan, path, choice)


def _faulty(dataset: ImportedDataset) -> dict[str, str]:
    """By trace the first rule of the plan that its request breaks."""
    rules, found = RowRules(dataset.plan), dict[str, str]()
    for number, case in enumerate(dataset.cases, 1):
        parts = Parts(
            inputs=case.inputs, text="", expectations=case.expectations, category=case.category, tags=case.tags
        )
        for _, reason in rules.faults(parts, number):
            found.setdefault(str(case.tags.get(TRACE_ID)), one_line(reason, _LONGEST_REASON))
    return found


def _without(path: Path, kept: Path, faulty: Mapping[str, str]) -> int:
    """Write the rows of other traces; returns how many there are."""
    count = 0
    with path.open("rb") as rows, kept.open("wb") as out:
        for line in rows:
            if orjson.loads(line)["tags"][TRACE_ID] not in faulty:
                out.write(line)
                count += 1
    return count
