"""Traces as rows: what users said, one after another or as conversations, without personal data; and what was left out."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import orjson

from dsbuilder_tui.domain.conversation import Speaker
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.quality.personal_data import PersonalDataKind
from dsbuilder_tui.quality.personal_masking import PersonalDataMask
from dsbuilder_tui.sources.foreign_text import kept, label
from dsbuilder_tui.tracking.trace_inputs import NotUnderstood, TraceProblem, answer_text, user_input
from dsbuilder_tui.tracking.trace_reader import ReadTrace, TraceReader

TRACE_ID = "trace_id"  # the tag of a row under which its (last) trace stands
_MOST_MESSAGES = 50  # of a conversation; of a longer one the newest
_SHOWN_FIELDS = 5
_TABLE = "CREATE TABLE trace (talk TEXT, time INTEGER, id TEXT, text TEXT, history BLOB, answer TEXT)"
_IN_ORDER = (
    "SELECT talk, time, id, text, history, answer FROM trace "
    "ORDER BY min(time) OVER (PARTITION BY talk), talk, time, rowid DESC"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """What a user asked: ``text``, and in a conversation all ``messages`` up to it. ``time`` is in nanoseconds."""

    text: str
    trace_id: str
    time: int
    messages: tuple[Mapping[str, str], ...] = ()


@dataclass(slots=True)
class TraceReport:
    """How many traces were ``read``, how many of each ``problem`` were not understood, and what was masked by kind.

    ``parameter`` is the application's own parameter that held what users said, where all traces agree. ``more`` says that there
    are older traces than were read.
    """

    experiment: str
    read: int = 0
    singles: int = 0
    conversations: int = 0
    more: bool = False
    parameter: str = ""
    problems: Counter[TraceProblem] = field(default_factory=Counter)
    unknown_fields: dict[str, None] = field(default_factory=dict)
    masked: Counter[PersonalDataKind] = field(default_factory=Counter)
    is_masked: bool = True

    @property
    def not_understood(self) -> int:
        return self.problems.total()

    def lines(self) -> list[str]:
        """The report in sentences."""
        found = [f"{counted(self.read, 'trace')} of {label(self.experiment)} read: {self._rows}"]
        if self.problems:
            whys = "; ".join(f"{count} since {problem}" for problem, count in self.problems.most_common())
            names = [label(name) for name in list(self.unknown_fields)[:_SHOWN_FIELDS]]
            seen = f" (the fields are {', '.join(names)})" if names else ""
            found.append(f"{counted(self.not_understood, 'trace')} not understood: {whys}{seen}")
        if not self.is_masked:
            found.append("personal data was kept, as you asked")
        elif self.masked:
            counts = ", ".join(kind.counted(count) for kind, count in self.masked.most_common())
            found.append(f"personal data masked: {counts}")
        else:
            found.append("no personal data was found")
        if self.more:
            found.append(f"there are older traces; the newest {self.read:,} were read")
        return found

    @property
    def _rows(self) -> str:
        parts = [counted(self.singles, "request")] if self.singles or not self.conversations else []
        return " and ".join([*parts, *([counted(self.conversations, "conversation")] if self.conversations else [])])


class TraceRows:
    """The rows of the traces that are asked for, oldest first. Use as a context manager; synchronous.

    What was read lies in a temporary file until ``close``, so that memory stays flat. Raises as ``TraceReader``, and
    ``StorageError`` never: SQLite's own temporary file goes with the connection.
    """

    def __init__(self, reader: TraceReader, query: TraceQuery, now: float) -> None:
        self.report = TraceReport(query.experiment, is_masked=not query.keep_personal_data)
        self._keep = query.keep_personal_data
        self._spool = sqlite3.connect("")
        self._spool.execute(_TABLE)
        fields: Counter[str] = Counter()
        try:
            for trace in reader.read(query, now):
                self._take(trace, fields)
        except BaseException:
            self._spool.close()
            raise
        self.report.more = self.report.read >= query.most
        self.report.parameter = next(iter(fields)) if len(fields) == 1 else ""

    def __enter__(self) -> TraceRows:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def __iter__(self) -> Iterator[TraceRow]:
        """Once; the report is complete afterwards."""
        with closing(self._spool.execute(_IN_ORDER)) as rows:
            for _, talk in itertools.groupby(rows, key=lambda row: row[0]):
                yield self._row([_Said(*row[1:]) for row in talk])

    def _take(self, trace: ReadTrace, fields: Counter[str]) -> None:
        report = self.report
        report.read += 1
        try:
            if not trace.is_whole:
                raise NotUnderstood(TraceProblem.NO_SPANS)
            if not trace.has_root:
                raise NotUnderstood(TraceProblem.NOT_ENDED)
            found = user_input(trace.inputs)
        except NotUnderstood as error:
            report.problems[error.problem] += 1
            report.unknown_fields.update(dict.fromkeys(error.fields))
            return
        fields[found.field] += 1
        self._spool.execute(
            "INSERT INTO trace VALUES (?,?,?,?,?,?)",
            (
                f"s{trace.session}" if trace.session else f"t{trace.id}", trace.time, trace.id, kept(found.text),
                orjson.dumps([dict(one) for one in found.history] if trace.session else []),
                kept(answer_text(trace.outputs)) if trace.session else "",
            ),
        )  # fmt: skip

    def _row(self, talk: list[_Said]) -> TraceRow:
        last = talk[-1]
        messages = _messages(talk)
        texts = [one["content"] for one in messages]
        if not self._keep:
            mask = PersonalDataMask()
            texts = mask.mask_all(texts)
            self.report.masked += mask.counts
        several = len(messages) > 1
        if several:
            self.report.conversations += 1
        else:
            self.report.singles += 1
        spoken = tuple({"role": one["role"], "content": text} for one, text in zip(messages, texts, strict=True))
        return TraceRow(
            text=texts[-1], trace_id=last.id, time=last.time, messages=spoken if several else (),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """One trace in the temporary file."""

    time: int
    id: str
    text: str
    history: bytes
    answer: str


def _messages(talk: list[_Said]) -> list[dict[str, str]]:
    """The conversation up to the user's last turn: as the application handed it on, or put together out of its traces."""
    last = talk[-1]
    handed_on: list[dict[str, str]] = [
        {"role": one["role"], "content": kept(one["content"])} for one in orjson.loads(last.history)
    ]
    built: list[dict[str, str]] = []
    for said in talk[:-1]:
        built.append({"role": Speaker.USER.value, "content": said.text})
        if said.answer:
            built.append({"role": Speaker.ASSISTANT.value, "content": said.answer})
    before = handed_on if _user_turns(handed_on) >= _user_turns(built) else built
    before = before[-(_MOST_MESSAGES - 1) :]
    while before and before[0]["role"] != Speaker.USER.value:
        before = before[1:]
    return [*before, {"role": Speaker.USER.value, "content": last.text}]


def _user_turns(messages: list[dict[str, str]]) -> int:
    return sum(one["role"] == Speaker.USER.value for one in messages)
