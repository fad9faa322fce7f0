"""One case beside the list: its inputs and expectations as fields, its verdict, its evidence, and what was done to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_pair import pair_of
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.flags import FLAG_MARKS, flag_words, flags_of
from dsbuilder_tui.domain.history import HistoryEntry
from dsbuilder_tui.domain.judging import Judgement, Verdict, verdict_of
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.domain.stage_record import StageResult, stage_records
from dsbuilder_tui.tui.paint.case_fields import CaseField, CasePart
from dsbuilder_tui.tui.paint.case_marks import FLAG_ROLES
from dsbuilder_tui.tui.paint.field_lines import field_lines
from dsbuilder_tui.tui.paint.flow import flow
from dsbuilder_tui.tui.paint.line import EMPTY, Line, clip, cut, fit, longest, wrap
from dsbuilder_tui.tui.paint.tag_words import pair_words, tag_words, value_words
from dsbuilder_tui.wording import clock_time

_FINDINGS = {
    Judgement.GOOD: ("✓ judged good", "good"), Judgement.BAD: ("✗ judged bad", "bad"),
    Judgement.NOT_JUDGED: ("not judged", "warn"),
}  # fmt: skip
_HISTORY = {
    "case_edited": "edited by you",
    "case_annotated": "pinned or noted by you",
    "case_withdrawn": "taken out, written again",
    "kept_anyway": "kept by you after a rejection",
}
_MOST_LABEL = 20  # cells
_SPACE = re.compile(r"\s+")  # a document's own line breaks are not those of the pane


def case_detail(
    case: AcceptedCase,
    fields: Sequence[CaseField],
    history: Sequence[HistoryEntry],
    width: int,
    passages: Sequence[Passage] = (),
    *,
    said: Sequence[Line] | None = None,
    hint: str = "g shows the two together",
) -> list[Line]:
    """Everything about one case, for a person; ``passages`` are those it was written from.

    ``said`` stands in the place of its inputs, and ``hint`` below its flags.
    """
    lines: list[Line] = list(said or ())
    for one in fields:
        if one.part is CasePart.INPUTS and one.value is not None and said is None:
            lines += field_lines(one, width, "strong")
    lines += _flags(case, width, hint)
    lines += _verdict(case, width)
    lines += _stages(case, width)
    lines += _expectations(fields, width)
    lines += _evidence(case, passages, width)
    if (row := row_of(case.tags)) is not None:
        lines += _named(f"about {row.place}", [(name, value_words(value)) for name, value in row.fields.items()], width)
    attributes = case.tags.get("attributes")
    if isinstance(attributes, dict) and attributes:
        lines += _named("attributes", list(attributes.items()), width)
    if case.tags.get("note"):
        lines += [EMPTY, (("note", "warn"),), *[((row, "text"),) for row in wrap(str(case.tags["note"]), width)]]
    if about := tag_words(case.tags):
        lines += _named("where it comes from", about, width)
    if history := [entry for entry in history if _history_words(entry)]:
        lines += [EMPTY, (("history", "info"),)]
        for entry in history:
            words = clip(_history_words(entry), width - 10)
            lines.append(((f"{clock_time(entry.created_at)}  ", "faint"), (words, "muted")))
    lines += [EMPTY, ((f"{clip(case.case_id, 40)} · accepted {clock_time(case.created_at)}", "faint"),)]
    return [cut(line, width) for line in lines]


def _history_words(entry: HistoryEntry) -> str:
    """What a person did to a case; empty for what another line of its history tells already."""
    if entry.kind == "case_annotated":
        before, after = entry.data.get("before", {}), entry.data.get("after", {})
        if {key for key in {*before, *after} if before.get(key) != after.get(key)} == {REVIEWED}:
            return ""
    if entry.kind == "case_reviewed":
        return f"reviewed by you: {entry.data['decision']}"
    return _HISTORY.get(entry.kind, entry.kind)


def _expectations(fields: Sequence[CaseField], width: int) -> list[Line]:
    """What is expected, and the keys that this case leaves out."""
    lines: list[Line] = [EMPTY, (("expectations", "info+bold"),)]
    own = [one for one in fields if one.part is CasePart.EXPECTATIONS]
    for one in own:
        if one.value is not None:
            lines += field_lines(one, width)
    if not any(one.value is not None for one in own):
        lines.append((("none", "faint"),))
    if left_out := [one.key for one in own if one.value is None]:
        lines += [((row, "faint"),) for row in wrap(f"left out here: {', '.join(left_out)}", width)]
    return lines


def _named(heading: str, values: Sequence[tuple[str, Any]], width: int) -> list[Line]:
    """Names and values, one to a line, below a heading; a long value goes on below its name."""
    label = min(_MOST_LABEL, longest([name for name, _ in values], 0))
    lines: list[Line] = [EMPTY, ((heading, "info"),)]
    for name, value in values:
        for number, row in enumerate(wrap(" ".join(str(value).split()), max(4, width - label - 2))):
            lines.append(((fit(name if not number else "", label) + "  ", "muted"), (row, "text")))
    return lines


def near_cases(case: AcceptedCase) -> list[tuple[str, str]]:
    """The cases that this one can be shown together with: why, in words, and their ids."""
    pair = pair_of(case.tags)
    own = [(pair_words(pair), pair.other)] if pair is not None else []
    return [*own, *((flag_words(flag), flag.case_id) for flag in flags_of(case.tags))]


def _flags(case: AcceptedCase, width: int, hint: str) -> list[Line]:
    """The pair that it belongs to, and the earlier cases that it came close to."""
    lines: list[Line] = []
    if (pair := pair_of(case.tags)) is not None:
        lines += [EMPTY, *[((row, "info"),) for row in wrap(f"⇄ {pair_words(pair)}", width)]]
    for flag in flags_of(case.tags):
        sentence = f"{FLAG_MARKS[flag.kind]} {flag_words(flag)}"
        lines += [EMPTY, *[((row, FLAG_ROLES[flag.kind]),) for row in wrap(sentence, width)]]
    return [*lines, ((hint, "faint"),)] if lines and hint else lines


def _verdict(case: AcceptedCase, width: int) -> list[Line]:
    """What the judge says of a case, and why; and whether the person has decided otherwise."""
    verdict = verdict_of(case.tags)
    if verdict is None:
        return []
    words, role = _FINDINGS[verdict.finding]
    by = f" by {verdict.model}" if verdict.model else ""
    lines: list[Line] = [EMPTY, ((clip(f"{words}{by}", width), role),)]
    if verdict.failed:
        failed = ", ".join(name.replace("_", " ") for name in verdict.failed)
        lines += [((row, role),) for row in wrap(f"no to: {failed}", width)]
    lines += [((row, "text"),) for row in wrap(verdict.reason and f"why: {verdict.reason}", width) if row]
    lines += [((row, "muted"),) for row in wrap(verdict.quote and f"“{verdict.quote}”", width) if row]
    lines += [((row, "warn"),) for row in wrap(_disagreement(case, verdict), width) if row]
    return lines


def _stages(case: AcceptedCase, width: int) -> list[Line]:
    """What was done to a case before it came to the gate; nothing where it was drafted alone."""
    records = stage_records(case.tags)
    lines: list[Line] = [EMPTY, (("stages", "muted"),)] if records else []
    for record in records:
        role = "warn" if record.result in (StageResult.KEPT, StageResult.NOT_JUDGED) else "text"
        lines += [((row, role),) for row in wrap(record.sentence, width) if row]
    return lines


def _disagreement(case: AcceptedCase, verdict: Verdict) -> str:
    pinned = verdict.finding is Judgement.BAD and case.tags.get("pinned")
    return "You pinned it: you and the judge do not agree." if pinned else ""


def _evidence(case: AcceptedCase, passages: Sequence[Passage], width: int) -> list[Line]:
    """Each passage with what is quoted of it set off; of passages that are not there the quotations alone."""
    quotes = evidence_of(case.tags)
    lines: list[Line] = []
    for passage in passages:
        lines += [EMPTY, *[((row, "info"),) for row in wrap(f"written from {passage.place}", width)]]
        own = sorted(
            (one.start - passage.start, one.end - passage.start) for one in quotes if one.passage == passage.id
        )
        marked = _marked(own, len(passage.text))
        lines += flow([(_SPACE.sub(" ", passage.text[begin:end]), role) for begin, end, role in marked], width)
    known = {passage.id for passage in passages}
    if left := [one.quote for one in quotes if one.passage not in known]:
        lines += [EMPTY, (("evidence", "info"),)]
        lines += [((row, "text"),) for quote in left for row in wrap(f"“{quote}”", width)]
    return lines


def _marked(places: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int, str]]:
    """A text of this length in pieces: those at ``places`` are strong, the others muted."""
    at = 0
    for begin, end in places:
        if at < begin:
            yield at, begin, "muted"
        if max(at, begin) < end:
            yield max(at, begin), end, "strong"
        at = max(at, end)
    if at < size:
        yield at, size, "muted"
