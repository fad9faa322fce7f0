"""A rejected case beside the accepted one it was too close to: what differs, and why it was turned away."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.case import AcceptedCase, Rejection, case_id, display_text
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES
from dsbuilder_tui.tui.paint.case_fields import CaseField
from dsbuilder_tui.tui.paint.field_lines import field_lines
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, wrap
from dsbuilder_tui.tui.paint.stages import STAGE_ROLES, comparing_stage, stage_words
from dsbuilder_tui.wording import clock_time

_QUOTED, _MOST_DRAFT = 160, 2000  # characters of each text in a message to the agent, and of all of it
STAGE_MEANINGS: dict[str, str] = {
    Stage.SCHEMA: "The worker's case did not have the form the plan asks for.",
    Stage.VALIDATORS: "A rule of the plan found fault with this case.",
    Stage.JUDGE: "The judge found this case bad.",
    Stage.CRITIQUE: "The critique found fault with this case, and it was not revised.",
    Stage.PERSON: "You turned this case away.",
}
# Their reason stands in place of a nearest case.
TELLING_STAGES = (Stage.VALIDATORS, Stage.JUDGE, Stage.CRITIQUE)
_GUARDED = "Quantities, negation, direction, names, questions and expectations agree: nothing speaks for keeping both."


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
        kept = rejection.candidate is not None and rejection.candidate["inputs"] == successor.inputs
        how = "It was kept after all, as" if kept else "The slot was written again and accepted as"
        words = f"✓ {how} {successor.case_id} at {clock_time(successor.created_at)}."
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
