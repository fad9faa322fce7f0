"""One check of a dataset: its rows one by one, then held against each other."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import xxhash

from dsbuilder_tui.dedup import deduplicate
from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.lint.baseline import read_baseline
from dsbuilder_tui.lint.encoding_faults import encoding_fault
from dsbuilder_tui.lint.finding import CheckCode, CheckFinding
from dsbuilder_tui.lint.fixes import RowChange, write_fixed
from dsbuilder_tui.lint.personal_data import personal_data
from dsbuilder_tui.lint.report import CheckReport
from dsbuilder_tui.lint.row_fingerprint import row_fingerprint, value_hash
from dsbuilder_tui.lint.row_rules import RowRules
from dsbuilder_tui.lint.row_tables import InputTable, LineHashes, UsedIds
from dsbuilder_tui.lint.split_rows import SplitRow, SplitRows
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.record_fields import MISSING, at

_SPLITS = ("split", "tags.split", "metadata.split", "additional_metadata.split")
_SHOWN = 80  # characters of a text in a sentence
_LEAST_ALIKE = 5  # cases of a category from which on one expectation for all is told
_THIN_SHARE, _THIN = 0.25, 10  # of the mean category, and cases, below which one is thin


def check(
    source: str | Path,
    *,
    fields: Sequence[str] = (),
    category_field: str | None = None,
    expectations_field: str | None = None,
    split_field: str | None = None,
    plan: DatasetPlanInput | None = None,
    baseline: str | Path | None = None,
    fixed: str | Path | None = None,
    config: DatasetBuilderConfig | None = None,
) -> CheckReport:
    """What is wrong with a dataset file, whoever wrote it, as findings with a code, a line, a sentence and a way out.

    ``source`` and the fields as for ``deduplicate``; ``split_field`` is where a row says which split it belongs to (split,
    tags.split; in a folder the names of its files). A ``plan`` tells the application's tools and the rules of its
    categories. Findings that stand in the file ``baseline`` are not reported. ``fixed`` is where the dataset is written
    with what can be mended for sure (``Repair``), all else as it stood; it may be ``source``. The findings are those
    of the dataset as it was.

    Blocks until it is done. Raises ``InputError`` for what cannot be read, and as ``deduplicate``.
    """
    choice = FieldChoice(tuple(fields), category_field, expectations_field)
    known = read_baseline(Path(baseline)) if baseline is not None else frozenset[str]()
    with tempfile.TemporaryDirectory(prefix="dsbuilder-check-") as place:
        path = _as_file(source, Path(place))
        with _Rows(RowRules(plan), split_field) as rows:
            with Source(path, choice) as opened:
                for item in opened.checked_rows():
                    rows.see(item)
                if split_field and rows.count and not rows.has_splits:
                    raise InputError(
                        f"No row of {source} has the field {split_field}.",
                        "Name where a row says which split it belongs to.",
                    )
                shape = opened.shape.label if opened.shape is not None else "rows"
            findings = [*rows.findings, *rows.of_all()]
            findings += _compared(path, choice, config, Path(place), rows)
        changes = write_fixed(path, Path(fixed).expanduser(), choice, rows.ids) if fixed is not None else ()
    order = sorted((f for f in findings if f.fingerprint not in known), key=lambda f: (f.line, f.code.code))
    return CheckReport(
        source=str(source),
        shape=shape,
        rows=rows.count,
        categories=dict(rows.categories),
        findings=tuple(order),
        known=len(findings) - len(order),
        fixed=_rows_changed(changes) if fixed is not None else None,
        changes=changes,
    )


def _as_file(source: str | Path, place: Path) -> Path:
    """The source as something that can be read twice: standard input is kept in a file meanwhile."""
    if str(source) != "-":
        return Path(source).expanduser()
    import shutil
    import sys

    path = place / "standard input"
    with path.open("wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return path


def _rows_changed(changes: Iterable[RowChange]) -> Counter[str]:
    """How many rows each repair concerned."""
    return Counter(str(repair) for _, repair in {(change.line, change.repair) for change in changes})


@dataclass(slots=True)
class _Expected:
    """What the cases of one category expect: how many there are, the first, and whether all others expect the same."""

    digest: int
    line: int
    cases: int = 0
    alike: bool = True


class _Rows:
    """What is found in each row, and what is kept of them all: some ten bytes a row, and what is found. A context manager
    for the file that the texts wait in where there are splits."""

    def __init__(self, rules: RowRules, split_field: str | None) -> None:
        self._rules, self._split_paths = rules, (split_field,) if split_field else _SPLITS
        self.findings: list[CheckFinding] = []
        self.categories: Counter[str] = Counter()
        self.count = 0
        self.ids = UsedIds()
        self.repeats: set[int] = set()  # lines whose very inputs stood there before
        self._first = InputTable()
        self._expected: dict[str, _Expected] = {}
        self._texts = LineHashes()  # of what a row says, whatever its case, spaces and signs
        self._splits = SplitRows()
        self.has_splits = False  # whether any row says which split it belongs to

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._splits.close()

    def see(self, item: Row | BadLine) -> None:
        """Take in a row."""
        if isinstance(item, BadLine):
            self._found(CheckCode.UNREADABLE, item.line, f"{item.reason}.", item.raw)
            return
        self.count += 1
        parts, row = item.parts, _RowHead.of(item)
        self.categories[parts.category] += 1
        expected = value_hash(parts.expectations)
        for code, reason in self._rules.faults(parts, item.line):
            self._add(code, row, _sentence(reason))
        self._look_at_texts(item, row)
        self._texts.add(item.line, text_hash(" ".join(re.findall(r"\w+", parts.text.casefold()))))
        if not parts.expectations:
            self._add(CheckCode.NO_EXPECTATION, row, f"Nothing is expected of {_quoted(parts.inputs)}.")
        else:
            group = self._expected.setdefault(parts.category, _Expected(expected, item.line))
            group.cases += 1
            group.alike = group.alike and group.digest == expected
        self._look_at_id(row)
        split = _split_of(item.record, self._split_paths)
        if split is not None:
            self.has_splits = True
            self._splits.add(SplitRow(split, item.line, parts.id, row.fingerprint), parts.text)
        self._look_at_inputs(item, row, expected)

    def _look_at_texts(self, item: Row, row: _RowHead) -> None:
        kinds: dict[str, None] = {}
        fault = ""
        for text in _texts({"inputs": item.parts.inputs, "expectations": item.parts.expectations}):
            kinds.update(dict.fromkeys(personal_data(text)))
            fault = fault or encoding_fault(text) or ""
        if fault:
            self._add(CheckCode.ENCODING, row, _sentence(fault))
        if kinds:
            self._add(CheckCode.PERSONAL_DATA, row, f"It holds {', '.join(kinds)}.")

    def _look_at_id(self, row: _RowHead) -> None:
        if row.id is None:
            return
        if (before := self.ids.add(row.id, row.line)) is not None:
            self._add(CheckCode.DUPLICATE_ID, row, f"The id {row.id!r} stands in line {before} too.", other=before)

    def _look_at_inputs(self, item: Row, row: _RowHead, expected: int) -> None:
        first = self._first.add(value_hash(item.parts.inputs), item.line, expected)
        if first is None:
            return
        self.repeats.add(item.line)
        if first.expected == expected:
            self._add(CheckCode.EXACT_REPEAT, row, f"The case stands in line {first.line} already.", other=first.line)
        else:
            said = f"The same input stands in line {first.line}, with other expectations."
            self._add(CheckCode.CONTRADICTION, row, said, other=first.line)

    def say_the_same(self, line: int, other: int) -> bool:
        """Whether two lines have the same words, numbers and ids among them, but are not the very same inputs."""
        return line not in self.repeats and self._texts.of(line) == self._texts.of(other)

    def of_all(self) -> Iterator[CheckFinding]:
        """What is wrong with the dataset as a whole."""
        for category, expected in self._expected.items():
            if expected.cases >= _LEAST_ALIKE and expected.alike:
                named = f"All {expected.cases} cases of {category or 'the dataset'} expect the same."
                yield _whole(CheckCode.CONSTANT_EXPECTATION, category, named, expected.line)
        if len(self.categories) > 1:
            mean = self.count / len(self.categories)
            for category, count in self.categories.items():
                if count < min(_THIN, mean * _THIN_SHARE):
                    named = f"{category or '(no category)'} has {counted(count, 'case')}; the others have {mean:.0f} on average."
                    yield _whole(CheckCode.THIN_CATEGORY, category, named, 0)
        yield from self._leaks()

    def _leaks(self) -> Iterator[CheckFinding]:
        for one, first, text in self._splits.leaks():
            said = f"“{one_line(text, _SHOWN)}” ({one.split}) is near line {first.line} ({first.split})."
            yield CheckFinding(
                code=CheckCode.SPLIT_LEAK, line=one.line, sentence=said, case_id=one.id, other_line=first.line,
                fingerprint=f"{CheckCode.SPLIT_LEAK.code}-{one.fingerprint}",
            )  # fmt: skip

    def _add(self, code: CheckCode, row: _RowHead, sentence: str, other: int | None = None) -> None:
        self.findings.append(
            CheckFinding(
                code=code, line=row.line, sentence=sentence, case_id=row.id, other_line=other,
                fingerprint=f"{code.code}-{row.fingerprint}",
            )
        )  # fmt: skip

    def _found(self, code: CheckCode, line: int, sentence: str, raw: bytes) -> None:
        print_ = f"{code.code}-{xxhash.xxh3_64_hexdigest(raw)}"
        self.findings.append(CheckFinding(code=code, line=line, sentence=sentence, fingerprint=print_))


@dataclass(frozen=True, slots=True)
class _RowHead:
    """How a row is called in a finding."""

    line: int
    id: str | None
    fingerprint: str

    @classmethod
    def of(cls, row: Row) -> _RowHead:
        return cls(row.line, row.parts.id, row_fingerprint(row.parts))


def _compared(
    path: Path, choice: FieldChoice, config: DatasetBuilderConfig | None, place: Path, rows: _Rows
) -> Iterator[CheckFinding]:
    """What the gate's comparison finds, other than the very same inputs, which are told already."""
    dropped, flagged = place / "dropped.jsonl", place / "flagged.jsonl"
    deduplicate(
        path, fields=choice.fields, category_field=choice.category_field, expectations_field=choice.expectations_field,
        dropped=dropped, flagged=flagged, config=config,
    )  # fmt: skip
    for told in _lines(dropped):
        if told["line"] not in rows.repeats:
            said = f"it is nearly that of line {told['match']['line']} ({told['reason']})"
            yield _pair(CheckCode.NEAR_REPEAT, told, told["match"], said)
    for told in _lines(flagged):
        match = next((flag["match"] for flag in told["flags"] if flag["kind"] == "contradiction"), None)
        if match is not None and rows.say_the_same(told["line"], match["line"]):
            said = f"line {match['line']} asks the same, and expects something else"
            yield _pair(CheckCode.CONTRADICTION, told, match, said)


def _pair(code: CheckCode, told: Mapping[str, Any], match: Mapping[str, Any], said: str) -> CheckFinding:
    return CheckFinding(
        code=code, line=told["line"], sentence=_sentence(said), case_id=_id(told["record"]),
        other_line=match["line"], fingerprint=f"{code.code}-{value_hash(told['record']):016x}",
    )  # fmt: skip


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _id(record: Any) -> str | None:
    found = next((value for name in ("tags.case_id", "id") if (value := at(record, name)) is not MISSING), None)
    return None if found is None else str(found)


def _split_of(record: Any, paths: Sequence[str | None]) -> str | None:
    for path in paths:
        value = at(record, path) if path else MISSING
        if isinstance(value, str) and value:
            return value
    return None


def _whole(code: CheckCode, category: str, sentence: str, line: int) -> CheckFinding:
    return CheckFinding(code=code, line=line, sentence=sentence, fingerprint=f"{code.code}-{value_hash(category):016x}")


def _texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            stack += found.values()
        elif isinstance(found, list | tuple):
            stack += found


def _quoted(inputs: Mapping[str, Any]) -> str:
    return f"“{one_line(display_text(inputs), _SHOWN)}”"


def _sentence(reason: str) -> str:
    reason = reason.strip()
    first = reason.partition(" ")[0]
    begun = reason if "_" in first else reason[:1].upper() + reason[1:]  # the name of a key stays what it is
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."
