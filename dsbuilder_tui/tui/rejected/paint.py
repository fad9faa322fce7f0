"""A rejected case beside the accepted one it was too close to: what differs, and why it was turned away."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, Rejection, case_id, display_text
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES
from dsbuilder_tui.tui.paint.case_fields import CaseField
from dsbuilder_tui.tui.paint.field_lines import field_lines
from dsbuilder_tui.tui.paint.flow import flow
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, wrap
from dsbuilder_tui.tui.paint.stages import STAGE_ROLES, comparing_stage, stage_words
from dsbuilder_tui.wording import clock_time

_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+", re.UNICODE)  # a word takes its spaces along: they line up with anything
_MOST_WORDS = 1500  # pieces of each text, between a common beginning and end, that are lined up
_QUOTED, _MOST_DRAFT = 160, 2000  # characters of each text in a message to the agent, and of all of it
_LONG_RUN, _AROUND = 60, 15  # pieces that both share: so many are folded, and so many stay in view beside a change

# A text in pieces: ``same`` in both texts, what the other one lacks (``differs``), or ``folded`` words that are alike.
Pieces = list[tuple[str, str]]

STAGE_MEANINGS: dict[str, str] = {
    Stage.SCHEMA: "The worker's case did not have the form the plan asks for.",
    Stage.VALIDATORS: "A rule of the plan found fault with this case.",
    Stage.JUDGE: "The judge found this case bad.",
    Stage.CRITIQUE: "The critique found fault with this case, and it was not revised.",
    Stage.MISSING: "The worker wrote no case for this slot.",
    Stage.PERSON: "You turned this case away.",
    "refused": "The model refused to write it.",
    "truncated": "The answer was cut off before the case was complete.",
}
# Their reason stands in place of a nearest case.
TELLING_STAGES = (Stage.VALIDATORS, Stage.JUDGE, Stage.CRITIQUE)
_GUARDED = "Quantities, negation, direction, names, questions and expectations agree: nothing speaks for keeping both."


def readable(inputs: object) -> str:
    """The inputs as a person reads them: the text of a single field, turns of a conversation one below the other."""
    if not isinstance(inputs, Mapping):
        return str(inputs)
    if len(inputs) == 1:
        return _said(next(iter(inputs.values())))
    return "\n".join(f"{name}: {_said(value)}" for name, value in inputs.items())


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(turn, Mapping) for turn in value):
        turns = [(turn.get("role"), turn.get("content", turn.get("text"))) for turn in value]
        if all(isinstance(role, str) and isinstance(words, str) for role, words in turns):
            return "\n".join(f"{role}: {words}" for role, words in turns)
    return json.dumps(value, ensure_ascii=False, default=str)


def word_diff(left: str, right: str) -> tuple[Pieces, Pieces]:
    """Both texts in pieces. Words are compared without regard to case; long stretches that both share are folded."""
    a, b = _WORDS.findall(visible(left)), _WORDS.findall(visible(right))
    x, y = [word.strip().casefold() for word in a], [word.strip().casefold() for word in b]
    head = _shared(x, y)
    tail = _shared(x[head:][::-1], y[head:][::-1])
    ends, other_ends = len(a) - tail, len(b) - tail
    to, other_to = min(ends, head + _MOST_WORDS), min(other_ends, head + _MOST_WORDS)
    # With words that come again and again taken for anchors, the time would grow with the cube of the length.
    matcher = SequenceMatcher(None, x[head:to], y[head:other_to], autojunk=True)
    ours, theirs = _runs(a[:head], "same"), _runs(b[:head], "same")
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        mark = "same" if kind == "equal" else "differs"
        ours += _runs(a[head + a0 : head + a1], mark)
        theirs += _runs(b[head + b0 : head + b1], mark)
    ours += _loose(a[to:ends], x[to:ends], y[other_to:other_ends])
    theirs += _loose(b[other_to:other_ends], y[other_to:other_ends], x[to:ends])
    return _folded(ours + _runs(a[ends:], "same")), _folded(theirs + _runs(b[other_ends:], "same"))


def _shared(x: list[str], y: list[str]) -> int:
    """How many words two texts begin with alike."""
    return next((n for n, (one, other) in enumerate(zip(x, y, strict=False)) if one != other), min(len(x), len(y)))


def _runs(words: list[str], mark: str) -> Pieces:
    return [("".join(words), mark)] if words else []


def _loose(words: list[str], plain: list[str], other: list[str]) -> Pieces:
    """What is too long to be lined up: a word differs when the other text does not have it as often."""
    left = Counter(other)
    pieces: Pieces = []
    for word, key in zip(words, plain, strict=True):
        left[key] -= 1
        pieces.append((word, "differs" if left[key] < 0 else "same"))
    return pieces


def _folded(pieces: Pieces) -> Pieces:
    """The pieces with neighbours of one mark joined, and long shared stretches cut down to what is beside a change."""
    joined: Pieces = []
    for text, mark in pieces:
        if joined and joined[-1][1] == mark:
            joined[-1] = (joined[-1][0] + text, mark)
        else:
            joined.append((text, mark))
    if len(joined) < 2:
        return joined
    found: Pieces = []
    for place, (text, mark) in enumerate(joined):
        words = _WORDS.findall(text) if mark == "same" else []
        before, after = (_AROUND if place else 0), (_AROUND if place < len(joined) - 1 else 0)
        if len(words) <= max(_LONG_RUN, before + after):
            found.append((text, mark))
            continue
        hidden = words[before : len(words) - after]
        count = sum(word[0].isalnum() for word in hidden)
        found.append(("".join(words[:before]).rstrip(), mark))
        found.append((f"\n⋯ {count:,} words alike ⋯\n", "folded"))
        found.append(("".join(words[len(words) - after :]).lstrip() if after else "", mark))
    return [piece for piece in found if piece[0]]


def side(pieces: Pieces, width: int, role: str) -> list[Line]:
    """One side of the duel as wrapped lines; what differs in ``role``, bold."""
    roles = {"differs": f"{role}+bold", "folded": "faint"}
    return flow([(text, roles.get(mark, "text")) for text, mark in pieces], width)


def why(
    rejection: Rejection, successor: AcceptedCase | None, width: int, expected: Sequence[CaseField] = ()
) -> list[Line]:
    """Stage, score against threshold on a scale, the reason, what became of the slot, and what was ``expected``."""
    lines: list[Line] = [EMPTY]
    score, threshold, stage = rejection.score, rejection.threshold, comparing_stage(rejection.stage)
    if score is not None and threshold is not None and threshold < 1:
        name = clip(stage.label if stage else rejection.stage, 30)
        lines.append(
            (
                (f"{name} ", "muted"),
                (f"{score:.2f}", "warn+bold"),
                ("   threshold ", "muted"),
                (f"{threshold:.2f}", "strong"),
            )
        )
        lines += [EMPTY, *_scale(score, threshold, width), EMPTY]
    meaning = stage.meaning if stage else STAGE_MEANINGS.get(rejection.stage, "")
    if rejection.nearest_case_id and rejection.stage not in (Stage.PERSON, Stage.JUDGE):
        meaning = f"Too close to {clip(rejection.nearest_case_id, 60)}. {meaning}"
    lines += [((row, "text"),) for row in wrap(meaning, width) if row]
    told = (stage is not None and not stage.tells_more) or rejection.stage in TELLING_STAGES
    reason = "" if told else rejection.reason
    said = reason[:1].upper() + reason[1:]
    lines += [((row, "muted"),) for row in wrap(said, width)[:4] if row]
    if rejection.stage in LIKENESS_STAGES:
        lines += [((row, "muted"),) for row in wrap(_GUARDED, width)]
    lines.append(EMPTY)
    if successor is not None:
        words = (
            f"✓ The slot was written again and accepted as {successor.case_id} at {clock_time(successor.created_at)}."
        )
        lines += [((row, "good"),) for row in wrap(words, width)]
    else:
        lines += [((row, "warn"),) for row in wrap("The slot is still open, or exhausted.", width)]
    if rejection.stage in TELLING_STAGES and expected:  # the fault may lie there
        lines += [
            EMPTY,
            (("it expected", "info+bold"),),
            *(line for one in expected for line in field_lines(one, width)),
        ]
    return [cut(line, width) for line in lines]


def about(rejection: Rejection, nearest: AcceptedCase | None) -> str:
    """The beginning of a message to the agent, for the person to finish."""
    own = case_id(rejection.category, rejection.ordinal)
    if nearest is None or rejection.stage in (Stage.PERSON, Stage.JUDGE):
        return one_line(f"About the candidate for {own} that was turned away ({rejection.stage}):", _MOST_DRAFT) + " "
    ours, theirs = (one_line(text, _QUOTED) for text in (rejection.text, display_text(nearest.inputs)))
    return one_line(
        f"These two are different on purpose: “{ours}” (turned away for {own}, {rejection.stage}) and “{theirs}” "
        f"({nearest.case_id}). Keep such pairs in {rejection.category}.",
        _MOST_DRAFT,
    )


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


def rejection_row(rejection: Rejection, width: int, chosen: bool) -> Line:
    stage = stage_words(rejection.stage, rejection.score)
    spans: list[Span] = [(fit(stage, 14), STAGE_ROLES.get(rejection.stage, "bad")), (" ", "text")]
    if width >= 56:
        spans += [(fit(rejection.category, 14), "muted"), (" ", "text")]
    used = sum(len(s[0]) for s in spans)
    spans.append((clip(rejection.text or rejection.reason, width - used), "strong" if chosen else "text"))
    return cut(tuple(spans), width)
