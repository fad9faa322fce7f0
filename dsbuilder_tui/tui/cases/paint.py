"""Rows and details of cases, rejections and worker calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.evidence import EVIDENCE, SOURCES, evidence_of
from dsbuilder_tui.domain.flags import FLAG_MARKS, flag_words, flags_of
from dsbuilder_tui.domain.judging import TAG, Judgement, verdict_of
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.sanitise import json_for_terminal
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, length, wrap
from dsbuilder_tui.wording import clock_time


def marks_of(case: AcceptedCase) -> str:
    """``★`` pinned, ``✎`` edited, ``✉`` with a note."""
    tags = case.tags
    return ("★" if tags.get("pinned") else "") + ("✎" if tags.get("edited") else "") + ("✉" if tags.get("note") else "")


_FLAG_ROLES = {"contradiction": "bad", "contrast": "info", "similar": "muted"}


def case_row(case: AcceptedCase, width: int, chosen: bool, *, category_width: int) -> Line:
    if case.damaged:
        return cut(
            ((fit(case.case_id, category_width + 8), "bad"), (" damaged: its checksum does not match", "bad")), width
        )
    spans: list[Span] = []
    category = min(category_width, max(8, width // 4))
    spans += [(fit(case.category, category), "muted"), (f" {'#' + str(case.ordinal):>6} ", "faint")]
    spans.append((fit(marks_of(case), 3), "warn"))
    room = width - category - 11
    if flags := flags_of(case.tags):
        words = clip(f"{FLAG_MARKS[flags[0].kind]} {flags[0].kind}", room if room > 40 else room // 2)
        spans += [(words, _FLAG_ROLES[flags[0].kind]), ("  ", "text")]
        room -= length(tuple(spans[-2:]))
    verdict = verdict_of(case.tags)
    if verdict is not None and verdict.finding is Judgement.BAD and room > 30:
        spans += [("✗ bad", "bad"), ("  ", "text")]
        room -= 7
    attributes = case.tags.get("attributes")
    values = " · ".join(str(v) for v in attributes.values()) if isinstance(attributes, dict) else ""
    if room > 70 and values:
        aside = min(30, room // 3)
        spans.append((fit(display_text(case.inputs), room - aside - 2), "strong" if chosen else "text"))
        spans.append(("  " + clip(values, aside), "faint"))
    else:
        spans.append((clip(display_text(case.inputs), room), "strong" if chosen else "text"))
    return cut(tuple(spans), width)


def case_detail(case: AcceptedCase, history: Sequence[Any], width: int, passages: Sequence[Passage] = ()) -> list[Line]:
    """Everything about one case, for a person; ``passages`` are those it was written from."""
    lines: list[Line] = []
    for name, value in case.inputs.items():
        lines += _field(name, value, width)
    for flag in flags_of(case.tags):
        sentence = f"{FLAG_MARKS[flag.kind]} {flag_words(flag)}"
        lines += [EMPTY, *[((row, _FLAG_ROLES[flag.kind]),) for row in wrap(sentence, width)]]
    if flags_of(case.tags):
        lines.append((("g shows the two together", "faint"),))
    lines += _verdict(case, width)
    lines.append(EMPTY)
    lines.append((("expectations", "info"),))
    lines += _json(case.expectations, width) or [(("none", "faint"),)]
    lines += _evidence(case, passages, width)
    attributes = case.tags.get("attributes")
    if isinstance(attributes, dict) and attributes:
        lines += [EMPTY, (("attributes", "info"),)]
        axis = max(len(str(name)) for name in attributes)
        for name, value in attributes.items():
            lines.append(((fit(name, min(axis, 20)) + "  ", "muted"), (clip(value, max(4, width - axis - 2)), "text")))
    if case.tags.get("note"):
        lines += [EMPTY, (("note", "warn"),), *[((row, "text"),) for row in wrap(str(case.tags["note"]), width)]]
    rest = {k: v for k, v in case.tags.items() if k not in ("attributes", "note", "flags", TAG, SOURCES, EVIDENCE)}
    if rest:
        lines += [EMPTY, (("tags", "info"),)]
        for name, value in rest.items():
            lines.append(((f"{clip(name, 20)}  ", "muted"), (clip(value, max(4, width - len(str(name)) - 2)), "muted")))
    if history:
        lines += [EMPTY, (("history", "info"),)]
        for entry in history:
            lines.append(
                (
                    (f"{clock_time(entry.created_at)}  ", "faint"),
                    (clip(_KINDS.get(entry.kind, entry.kind), width - 10), "muted"),
                )
            )
    lines += [EMPTY, ((f"{clip(case.case_id, 40)} · accepted {clock_time(case.created_at)}", "faint"),)]
    return [cut(line, width) for line in lines]


def _verdict(case: AcceptedCase, width: int) -> list[Line]:
    """What the judge says of a case, and why."""
    verdict = verdict_of(case.tags)
    if verdict is None:
        return []
    words, role = _FINDINGS[verdict.finding]
    by = f" by {verdict.model}" if verdict.model else ""
    lines: list[Line] = [EMPTY, ((clip(f"{words}{by}", width), role),)]
    if verdict.failed:
        lines += [((row, role),) for row in wrap(f"no to: {', '.join(verdict.failed)}", width)]
    lines += [((row, "text"),) for row in wrap(verdict.reason, width) if row]
    lines += [((row, "muted"),) for row in wrap(verdict.quote and f"“{verdict.quote}”", width) if row]
    return lines


_FINDINGS = {
    Judgement.GOOD: ("✓ judged good", "good"), Judgement.BAD: ("✗ judged bad", "bad"),
    Judgement.NOT_JUDGED: ("not judged", "warn"),
}  # fmt: skip


def _evidence(case: AcceptedCase, passages: Sequence[Passage], width: int) -> list[Line]:
    """Each passage with what is quoted of it set off; of passages that are not there the quotations alone."""
    quotes = evidence_of(case.tags)
    lines: list[Line] = []
    for passage in passages:
        lines += [EMPTY, ((clip(f"written from {passage.place}", width), "info"),)]
        own = sorted(
            (one.start - passage.start, one.end - passage.start) for one in quotes if one.passage == passage.id
        )
        for begin, end, role in _marked(own, len(passage.text)):
            lines += [((row, role),) for row in wrap(" ".join(passage.text[begin:end].split()), width) if row.strip()]
    known = {passage.id for passage in passages}
    if left := [one.quote for one in quotes if one.passage not in known]:
        lines += [EMPTY, (("evidence", "info"),)]
        lines += [((row, "text"),) for quote in left for row in wrap(f"“{quote}”", width)]
    return lines


def _marked(places: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int, str]]:
    """A text of this length in pieces: those at ``places`` are strong, the others muted."""
    at = 0
    for begin, end in places:
        if at < begin:
            yield at, begin, "muted"
        if max(at, begin) < end:
            yield max(at, begin), end, "strong"
        at = max(at, end)
    if at < length:
        yield at, length, "muted"


_KINDS = {
    "case_edited": "edited by you",
    "case_annotated": "pinned or noted by you",
    "case_withdrawn": "taken out, written again",
    "kept_anyway": "kept by you after a rejection",
}


def editable(case: AcceptedCase) -> str:
    """The part of a case that a person may change, as JSON that is safe to show."""
    data = {"inputs": case.inputs, "expectations": case.expectations}
    return json_for_terminal(json.dumps(data, ensure_ascii=False, indent=2))


def parse_edited(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and expectations from edited JSON. Raises ``InputError`` naming the place."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"Line {error.lineno}, column {error.colno}: not JSON ({error.msg}).", "Mend it, or Esc."
        ) from None
    if not isinstance(data, dict) or set(data) != {"inputs", "expectations"}:
        raise InputError("It must be an object with `inputs` and `expectations`.", "Mend it, or Esc.")
    if not isinstance(data["inputs"], dict) or not isinstance(data["expectations"], dict):
        raise InputError("`inputs` and `expectations` must be objects.", "Mend it, or Esc.")
    return data["inputs"], data["expectations"]


def _field(name: str, value: Any, width: int) -> list[Line]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return [((clip(name, width), "info"),), *[((row, "strong"),) for row in wrap(text, width)]]


def _json(data: Any, width: int) -> list[Line]:
    if not data:
        return []
    return [
        ((row, "text"),)
        for line in json.dumps(data, ensure_ascii=False, indent=2).split("\n")[1:-1]
        for row in wrap(line[2:], width)
    ]
