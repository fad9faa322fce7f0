"""The review in words: why a case is here, how far one is, what it was like at the end. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.flags import flag_words, flags_of
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.review import ReviewDecision, ReviewItem, ReviewLabel, ReviewReason, ReviewTally
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.tui.paint.case_fields import CaseField
from dsbuilder_tui.tui.paint.field_lines import field_lines
from dsbuilder_tui.tui.paint.line import EMPTY, Line, bar, clip, cut, fit, sides, wrap
from dsbuilder_tui.tui.paint.word_difference import Pieces, side

_TITLES = {
    ReviewReason.CONTRADICTION: ("contradiction", "bad"), ReviewReason.JUDGED_BAD: ("judged bad", "bad"),
    ReviewReason.NEAR_MISS: ("near miss", "warn"), ReviewReason.CONTRAST: ("contrast", "info"),
    ReviewReason.UNSURE: ("unsure", "warn"), ReviewReason.REWRITTEN: ("written again", "warn"),
    ReviewReason.EDITED: ("changed by hand", "info"), ReviewReason.NOT_JUDGED: ("not judged", "warn"),
    ReviewReason.SAMPLE: ("sample", "muted"),
}  # fmt: skip
_WORDS = {
    ReviewReason.JUDGED_BAD: "The judge found it bad. Is it?",
    ReviewReason.UNSURE: "A stage of its writing came to no good end: its stages say which.",
    ReviewReason.EDITED: "It was changed by hand after it had been accepted, and nobody has decided about it since.",
    ReviewReason.NOT_JUDGED: "The judge was asked, and gave no verdict that is of use.",
    ReviewReason.SAMPLE: "Drawn at random, so that what looks well is looked at, too.",
}
_COMPARED = {Stage.NEAR: " in its words", Stage.SEMANTIC: " in what it means"}
_DECIDED = {
    ReviewDecision.KEPT: ("kept", "good", "✓"), ReviewDecision.REJECTED: ("rejected", "bad", "✗"),
    ReviewDecision.EDITED: ("edited", "info", "✎"), ReviewDecision.SKIPPED: ("skipped", "muted", "·"),
}  # fmt: skip
_MOST_NAMED = 5


def reason_title(item: ReviewItem) -> tuple[str, str]:
    """The reason in a word or two, and its role."""
    return _TITLES[item.reason]


def reason_words(item: ReviewItem, case: AcceptedCase | None) -> str:
    """Why a case is here, as a sentence. Foreign text in it is not made visible."""
    match item.reason:
        case ReviewReason.CONTRADICTION:
            return f"It has the same text as {item.other}, and other expectations. One of the two cannot be right."
        case ReviewReason.NEAR_MISS:
            other, how = item.other or "an example of the plan", _COMPARED.get(Stage(item.stage), "")
            from_where = f"from {item.threshold or 0:.2f} on it would have been a repeat"
            return f"Close to {other}: {item.score or 0:.2f}{how}; {from_where}."
        case ReviewReason.CONTRAST:
            flags = flags_of(case.tags) if case is not None else ()
            return flag_words(flags[0]) if flags else f"It is close to {item.other}, and was kept."
        case ReviewReason.REWRITTEN:
            return f"{counted(item.attempts, 'candidate')} for this slot were turned away before it was let in."
        case reason:
            return _WORDS[reason]


def decided_words(label: ReviewLabel) -> tuple[str, str]:
    """What was decided about the case that is shown, and its role."""
    words, role, mark = _DECIDED[label.decision]
    note = f": {label.note}" if label.note else ""
    return f"{mark} {words} by you{note} · another key decides anew", role


def progress_line(at: int, total: int, tally: ReviewTally, width: int) -> Line:
    """How far one is, what was decided, and how far the judge agrees."""
    left: Line = (
        (f"{min(at + 1, total)} of {total} ", "strong"),
        *bar(at, total, max(8, min(30, width // 4)), "accent"),
    )
    parts: list[tuple[str, str]] = []
    for decision, (words, role, mark) in _DECIDED.items():
        if count := tally.of(decision):
            parts += [(f"  {mark} ", role), (f"{count} {words}", "muted")]
    if tally.judged:
        parts += [("  judge ", "muted"), (f"{tally.agreed} of {tally.judged} as you", "strong")]
    return sides(left, parts, width)


def why_lines(item: ReviewItem, case: AcceptedCase | None, label: ReviewLabel | None, width: int) -> list[Line]:
    """Why this case is shown, and what was decided about it before."""
    lines: list[Line] = [((row, "text"),) for row in wrap(reason_words(item, case), width)]
    if label is not None:
        words, role = decided_words(label)
        lines.append(((clip(words, width), role),))
    return lines


def other_lines(pieces: Pieces, fields: Sequence[CaseField], width: int) -> list[Line]:
    """The case that the reviewed one is close to: its text with the words that differ, and what it expects."""
    lines = [*side(pieces, width, "info"), EMPTY, (("expectations", "info+bold"),)]
    expected = [line for one in fields for line in field_lines(one, width)]
    lines += expected or [(("none", "faint"),)]
    return [cut(line, width) for line in lines]


def decision_rows(tally: ReviewTally, width: int) -> list[Line]:
    """What was decided in this pass, the newest first."""
    lines: list[Line] = []
    for label in reversed(tally.labels):
        words, role, mark = _DECIDED[label.decision]
        agrees = {True: "judge too", False: "judge not", None: ""}[label.agrees]
        name = fit(label.case_id, max(8, width - 22))
        row: Line = ((f"{mark} ", role), (name, "text"), (f" {words:9}", role), (agrees, "faint"))
        lines.append(cut(row, width))
    return lines


def summary_lines(
    tally: ReviewTally, width: int, *, running: bool, anything_left: bool, skipped_before: int, judge_examples: str
) -> list[Line]:
    """What the pass came to, and what that means. ``skipped_before`` cases were put off in earlier ones;
    ``judge_examples`` is the command that prints the disagreements.
    """
    looked = sum(tally.of(decision) for decision in ReviewDecision if decision is not ReviewDecision.SKIPPED)
    skipped = tally.of(ReviewDecision.SKIPPED) + skipped_before
    if not tally.labels:
        lines: list[Line] = [(("Nothing here waits for a look.", "strong"),), *_muted(_NOTHING, width)]
        return [*lines, *([EMPTY, _skipped(skipped)] if skipped else [])]
    said = [f"{tally.of(d)} {words}" for d, (words, _, _) in _DECIDED.items() if tally.of(d)]
    lines = [((f"✓ You have looked at {counted(looked, 'case')}.", "good+bold"),), EMPTY]
    lines += [((row, "strong"),) for row in wrap(", ".join(said), width)]
    lines.append(EMPTY)
    if rejected := tally.of(ReviewDecision.REJECTED):
        slots = "Its slot is" if rejected == 1 else f"Their {counted(rejected, 'slot')} are"
        anew = "what goes there is written now" if running else "^P in the studio has them written anew"
        lines += _muted(f"{slots} open: {anew}.", width)
    if kept := tally.of(ReviewDecision.KEPT):
        bear = "bears" if kept == 1 else "bear"
        lines += _muted(f"{counted(kept, 'case')} you kept {bear} the tag `reviewed`, in every export too.", width)
    if tally.judged:
        lines += [EMPTY, *[((row, "strong"),) for row in wrap(_judge_words(tally), width)]]
        others = [label for label in tally.labels if label.agrees is False]
        for label in others[:_MOST_NAMED]:
            found = "bad" if label.decision is ReviewDecision.KEPT else "good"
            words = f"{label.case_id}: {_DECIDED[label.decision][0]} by you, found {found} by the judge"
            lines.append((("  ≠ ", "warn"), (clip(words, width - 4), "text")))
        if len(others) > _MOST_NAMED:
            lines.append(((f"    and {len(others) - _MOST_NAMED} more", "faint"),))
        if others:
            lines += _muted(f"`{judge_examples}` writes them down as examples for the rubric.", width)
    elif looked:
        lines += _muted(
            "The judge has read none of these; with a verdict on them you would see how far it agrees.", width
        )
    if skipped:
        lines += [EMPTY, _skipped(skipped)]
    if anything_left:
        lines += [*([] if skipped else [EMPTY]), (("m ", "key"), ("goes on with more", "muted"))]
    return [cut(line, width) for line in lines]


_NOTHING = "Every case that is there was looked at, pinned or edited by you, or there is none yet. F8 looks again."


def _skipped(count: int) -> Line:
    return (("a ", "key"), (f"looks at what you skipped ({counted(count, 'case')})", "muted"))


def _judge_words(tally: ReviewTally) -> str:
    return f"The judge agreed with {tally.agreed} of {tally.judged} of your decisions."


def _muted(words: str, width: int) -> list[Line]:
    return [((row, "muted"),) for row in wrap(words, width)]
