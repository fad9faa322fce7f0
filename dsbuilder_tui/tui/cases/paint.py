"""A row of the list of cases, and a case as JSON for a person to change. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.evaluation import EASY
from dsbuilder_tui.domain.flags import FLAG_MARKS, flags_of
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from dsbuilder_tui.domain.sanitise import json_for_terminal
from dsbuilder_tui.tui.paint.case_marks import FLAG_ROLES, marks_of
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, length


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
        spans += [(words, FLAG_ROLES[flags[0].kind]), ("  ", "text")]
        room -= length(tuple(spans[-2:]))
    verdict = verdict_of(case.tags)
    if verdict is not None and verdict.finding is Judgement.BAD and room > 30:
        spans += [("✗ bad", "bad"), ("  ", "text")]
        room -= 7
    if case.tags.get(EASY) is True and room > 30:
        spans += [("easy", "faint"), ("  ", "text")]
        room -= 6
    attributes = case.tags.get("attributes")
    values = " · ".join(str(v) for v in attributes.values()) if isinstance(attributes, dict) else ""
    if room > 70 and values:
        aside = min(30, room // 3)
        spans.append((fit(display_text(case.inputs), room - aside - 2), "strong" if chosen else "text"))
        spans.append(("  " + clip(values, aside), "faint"))
    else:
        spans.append((clip(display_text(case.inputs), room), "strong" if chosen else "text"))
    return cut(tuple(spans), width)


def json_of(inputs: Mapping[str, Any], expectations: Mapping[str, Any]) -> str:
    """The part of a case that a person may change, as JSON that is safe to show."""
    data = {"inputs": inputs, "expectations": expectations}
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
