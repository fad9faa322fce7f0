"""A rejected case beside the accepted one it was too close to: what differs, and why it was turned away."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from dsbuilder_tui.domain.case import AcceptedCase, Rejection
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, wrap
from dsbuilder_tui.wording import clock_time

_WORDS = re.compile(r"\s+|\w+|[^\w\s]", re.UNICODE)
_MOST_WORDS = 1500

Pieces = list[tuple[str, bool]]  # a text in pieces, each with whether the other text lacks it

STAGE_MEANINGS = {
    "structural": "Once ids, names, dates and the like are masked, the two say the same.",
    "near": "The two share too many words and word pairs.",
    "semantic": "The two mean the same in other words.",
    "schema": "The worker's case did not have the form the plan asks for.",
    "missing": "The worker wrote no case for this slot.",
    "person": "You turned this case away.",
    "refused": "The model refused to write it.",
    "truncated": "The answer was cut off before the case was complete.",
}


def word_diff(left: str, right: str) -> tuple[Pieces, Pieces]:
    """Both texts in pieces, each with whether the other one lacks it. Words are compared without regard to case."""
    a, b = _WORDS.findall(visible(left))[:_MOST_WORDS], _WORDS.findall(visible(right))[:_MOST_WORDS]
    matcher = SequenceMatcher(None, [w.casefold() for w in a], [w.casefold() for w in b], autojunk=False)
    ours: Pieces = []
    theirs: Pieces = []
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        ours.append(("".join(a[a0:a1]), kind != "equal"))
        theirs.append(("".join(b[b0:b1]), kind != "equal"))
    return [p for p in ours if p[0]], [p for p in theirs if p[0]]


def flow(pieces: Pieces, width: int, role: str) -> list[Line]:
    """The pieces as wrapped lines; those that differ in ``role``, bold."""
    marks: list[str] = []
    for text, differs in pieces:
        marks.extend(role + "+bold" if differs and not c.isspace() else "text" for c in text)
    whole = "".join(text for text, _ in pieces)
    lines: list[Line] = []
    place = 0
    for row in wrap(whole, width):
        found = whole.find(row[:1], place) if row else place
        spans: list[Span] = []
        at = found if found >= 0 else place
        for character in row:
            while at < len(whole) and whole[at] != character:
                at += 1
            mark = marks[at] if at < len(marks) else "text"
            if spans and spans[-1][1] == mark:
                spans[-1] = (spans[-1][0] + character, mark)
            else:
                spans.append((character, mark))
            at += 1
        place = at
        lines.append(tuple(spans))
    return lines


def why(rejection: Rejection, successor: AcceptedCase | None, width: int) -> list[Line]:
    """Stage, score against threshold on a scale, the reason, and what became of the slot."""
    lines: list[Line] = [EMPTY]
    score, threshold = rejection.score, rejection.threshold
    if score is not None and threshold is not None and threshold < 1:
        name = {"structural": "same structure", "near": "shared words", "semantic": "semantic similarity"}.get(
            rejection.stage, clip(rejection.stage, 20)
        )
        lines.append(
            (
                (f"{name} ", "muted"),
                (f"{score:.2f}", "warn+bold"),
                ("   threshold ", "muted"),
                (f"{threshold:.2f}", "strong"),
            )
        )
        lines += [EMPTY, *_scale(score, threshold, width), EMPTY]
    lines += [((row, "text"),) for row in wrap(STAGE_MEANINGS.get(rejection.stage, ""), width) if row]
    said = rejection.reason[:1].upper() + rejection.reason[1:] if rejection.reason else ""
    lines += [((row, "muted"),) for row in wrap(said, width)[:4] if row]
    lines.append(EMPTY)
    if successor is not None:
        words = (
            f"✓ The slot was written again and accepted as {successor.case_id} at {clock_time(successor.created_at)}."
        )
        lines += [((row, "good"),) for row in wrap(words, width)]
    else:
        lines += [((row, "warn"),) for row in wrap("The slot is still open, or was given up on.", width)]
    return [cut(line, width) for line in lines]


def _scale(score: float, threshold: float, width: int) -> list[Line]:
    low = min(0.7, int(min(score, threshold) * 10) / 10)
    room = max(10, min(44, width - 12))

    def place(value: float) -> int:
        return max(0, min(room - 1, round((value - low) / (1 - low) * (room - 1))))

    cells: list[Span] = [("─", "edge")] * room
    cells[place(threshold)] = ("┃", "bad")
    cells[place(score)] = ("●", "warn")
    label = f"{threshold:.2f}".removeprefix("0")
    return [
        ((f"{low:.2f} ", "faint"), *cells, (" 1.00", "faint")),
        ((" " * (5 + max(0, place(threshold) - 1)), "text"), (label, "bad")),
    ]
