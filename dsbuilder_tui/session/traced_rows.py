"""Traces of an application in MLflow as a file of rows: what its users asked, to begin from or to be the cases."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from dsbuilder_tui.domain.conversation import MESSAGES, Speaker
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.trace_query import TRACES, TraceQuery
from dsbuilder_tui.settings.key_trust import foreign_tracking, refusal
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tracking.trace_reader import TraceReader
from dsbuilder_tui.tracking.trace_rows import TRACE_ID, TraceReport, TraceRow, TraceRows

_FIELD = "query"  # where the application's own parameter is not known
_NO_NAME = re.compile(r"[^\w .@-]+")
_MOST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class TracedRows:
    """Rows of traces: the file, and what to say of it."""

    path: Path
    report: TraceReport
    notes: tuple[str, ...]


def traced_experiment(reference: object) -> str | None:
    """The experiment whose traces a reference names (``traces:my_bot``); None for anything else."""
    text = str(reference)
    return text.removeprefix(TRACES).strip() if text.startswith(TRACES) else None


@contextlib.contextmanager
def traced_rows(query: TraceQuery, config: DatasetBuilderConfig, now: float) -> Iterator[TracedRows]:
    """The traces that are asked for as a file of rows, for as long as it is read. ``now`` is in seconds since 1970. Blocks.

    All rows are of one kind: requests where most traces are, else conversations. Raises ``InputError`` for an experiment that
    MLflow does not have, a filter it does not take, and where no trace has an input; ``MlflowUnavailable``; ``ConfigError`` for
    an address that a folder names and nobody has allowed.
    """
    if foreign := foreign_tracking(config, reading=True):
        raise refusal(foreign)
    with (
        TraceRows(TraceReader(config.tracking_uri), query, now) as rows,
        tempfile.TemporaryDirectory() as folder,
    ):
        name = _NO_NAME.sub(" ", query.experiment).strip(" .")[:_MOST_SHOWN]
        # The number of conversations is known when all are read, so both forms are written.
        of_kind = [Path(folder) / kind / f"traces of {name}.jsonl" for kind in ("requests", "conversations")]
        for path in of_kind:
            path.parent.mkdir()
        report = rows.report
        with of_kind[0].open("wb") as requests, of_kind[1].open("wb") as conversations:
            for row in rows:
                _write(requests, {report.parameter or _FIELD: row.text}, row)
                _write(conversations, {MESSAGES: _messages(row)}, row)
        _require_some(report, query)
        talked = report.conversations > report.singles
        notes = tuple(report.lines())
        if report.conversations and not talked:
            notes += (f"of {counted(report.conversations, 'conversation')} the last turn of the user was taken",)
        yield TracedRows(of_kind[talked], report, notes)


def _write(file: BinaryIO, inputs: dict[str, object], row: TraceRow) -> None:
    file.write(orjson.dumps({"inputs": inputs, "tags": {TRACE_ID: row.trace_id}}) + b"\n")


def _messages(row: TraceRow) -> list[dict[str, str]]:
    return [dict(one) for one in row.messages] or [{"role": Speaker.USER.value, "content": row.text}]


def _require_some(report: TraceReport, query: TraceQuery) -> None:
    if report.singles or report.conversations:
        return
    since = f" since {query.since}" if query.since else ""
    chosen = " that the filter takes" if query.filter else ""
    if not report.read:
        raise InputError(
            f"The experiment {report.experiment} has no traces{since}{chosen}.",
            "Ask for a longer time, another filter or another experiment.",
        )
    raise InputError(
        f"None of {counted(report.read, 'trace')} of {report.experiment} says what a user asked: {report.lines()[1]}.",
        "Trace the function that takes the user's words, as `question` or as `messages`.",
    )
