"""A checkpoint as it is looked at: what it is, how the plan differs around it, and what there was then. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import Checkpoint, display_text
from dsbuilder_tui.domain.figures import Coverage
from dsbuilder_tui.domain.message import Message, MessageRole, PlanContent, ThoughtsContent
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.session.checkpoints import CheckpointPreview
from dsbuilder_tui.tui.checkpoints.branch_lines import BranchLine
from dsbuilder_tui.tui.paint.coverage_sheet import sheet
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, bar, clip, cut, fit, longest, wrap
from dsbuilder_tui.tui.paint.stages import STAGE_ROLES, stage_words
from dsbuilder_tui.wording import clock_time

_CAUSES: Mapping[str, str] = {
    CheckpointCause.ASKED: "when asked",
    CheckpointCause.BEFORE_MERGE: "before a merge",
    CheckpointCause.BEFORE_REWIND: "before going back",
    CheckpointCause.BEFORE_SWITCH: "before another branch",
    CheckpointCause.FINISH: "at the end",
    CheckpointCause.IMPORT: "at the import",
    CheckpointCause.INTERVAL: "by itself, every so many cases",
    CheckpointCause.MERGE: "behind a merge",
    CheckpointCause.PAUSE: "at a pause",
    CheckpointCause.PLAN: "at a change of the plan",
    CheckpointCause.SETTINGS: "at a change of the settings",
}
_MOST_NAME = 28
_COUNTED_FIELDS = ("categories", "total_instances")  # told by category
_SPEAKERS: Mapping[str, tuple[str, str]] = {MessageRole.PERSON: ("You", "accent"), MessageRole.AGENT: ("Agent", "info")}


def cause_words(point: Checkpoint) -> str:
    """Why a checkpoint was written, or what it is called."""
    return f"“{point.name}”" if point.name else _CAUSES.get(point.reason, f"“{point.reason}”")


def then_lines(
    looked: CheckpointPreview,
    line: BranchLine,
    width: int,
    *,
    before: tuple[Checkpoint, DatasetPlanInput] | None,
    after: tuple[Checkpoint, DatasetPlanInput] | None,
    here: Mapping[str, int] | None = None,
) -> list[Line]:
    """What a checkpoint holds, how the plan differs from that of the one before and after it on its line, and what came later.

    ``here`` are the accepted cases by category of where the session stands, None where it is that point.
    """
    point = looked.checkpoint
    spans: list[Span] = [(f"{point.accepted:,}", "strong"), (f" of {counted(point.planned, 'case')}", "muted")]
    lines: list[Line] = [cut(tuple(spans), width)]
    lines += _paragraph(
        f"saved {clock_time(point.created_at)} · {cause_words(point)} · plan rev {looked.revision}", width
    )
    lines += _paragraph(point.note, width, "text") if point.note else []
    lines += [EMPTY, *_counts(looked, width, here), EMPTY]
    if not looked.plan.decided:
        lines += [*_paragraph("There was no plan then.", width), EMPTY]
    if before is not None:
        lines += _plan_change("Plan changed since the point before:", before[1], looked.plan, width)
    if after is not None:
        lines += _plan_change("Plan changes up to the next point:", looked.plan, after[1], width)
    return [*lines, *_paragraph(_later_words(point, line, stands=here is None), width)]


def _later_words(point: Checkpoint, line: BranchLine, *, stands: bool) -> str:
    if stands:
        return "This is where the session stands now."
    name, more = clip(line.branch.name, 40), line.branch.accepted - point.accepted
    if point.id == line.tip.id and not more:
        return f"{name} ends here: Enter goes on with it."
    if more < 0:
        return f"{counted(-more, 'case')} of this point {'is' if more == -1 else 'are'} not on {name} any more."
    came = f"{counted(more, 'case')} came" if more else "No more cases came"
    return f"{came} after this point on {name}."


def _counts(looked: CheckpointPreview, width: int, here: Mapping[str, int] | None) -> list[Line]:
    name = min(_MOST_NAME, max(8, width // 3), longest(looked.counts))
    planned = {category.name: category.count for category in looked.plan.categories}
    digits = 2 * len(f"{max(planned.values(), default=0):,}") + 1
    lines = []
    for category, counts in looked.counts.items():
        room = width - name - digits - 2
        now = here.get(category, 0) if here is not None else counts.accepted
        aside = f"  now {now:,}" if now != counts.accepted and room > 24 else ""
        spans: list[Span] = [(fit(category, name), "text"), (" ", "text")]
        spans += bar(counts.accepted, planned[category], max(6, min(60, room - 14)), exhausted=counts.exhausted)
        spans += [(f" {fit(f'{counts.accepted:,}/{planned[category]:,}', digits, 'right')}", "text"), (aside, "muted")]
        lines.append(cut(tuple(spans), width))
    rejected = sum(counts.rejected for counts in looked.counts.values())
    exhausted = sum(counts.exhausted for counts in looked.counts.values())
    told = f"{rejected:,} rejected" + (f" · {counted(exhausted, 'slot')} exhausted" if exhausted else "")
    return [*lines, *_paragraph(told, width)] if lines else lines


def _plan_change(heading: str, then: DatasetPlanInput, now: DatasetPlanInput, width: int) -> list[Line]:
    """A line for each category that differs, and for what else does; nothing where the plans are the same."""
    if then == now:
        return []
    old, new = ({category.name: category for category in plan.categories} for plan in (then, now))
    lines = _paragraph(heading, width)
    for name in {**old, **new}:
        was, is_now = old.get(name), new.get(name)
        if was == is_now:
            continue
        mark, role = ("+", "good") if was is None else ("−", "bad") if is_now is None else ("~", "warn")
        lines.append(
            cut(((f"  {mark} ", role), (clip(name, 40), "text"), (f"  {_change(was, is_now)}", "muted")), width)
        )
    other = [
        field
        for field in type(now).model_fields
        if field not in _COUNTED_FIELDS and getattr(then, field) != getattr(now, field)
    ]
    if other and then.decided:
        lines.append(cut((("  ~ ", "warn"), (", ".join(name.replace("_", " ") for name in other), "muted")), width))
    return [*lines, EMPTY]


def _change(was: DatasetCategory | None, now: DatasetCategory | None) -> str:
    if was is None or now is None:
        there = was or now
        return f"{there.count:,}" if there is not None else ""
    parts = [f"{was.count:,} → {now.count:,}"] if was.count != now.count else []
    fields = (name for name in type(now).model_fields if name not in ("name", "count"))
    return ", ".join([*parts, *(name.replace("_", " ") for name in fields if getattr(was, name) != getattr(now, name))])


def case_lines(looked: CheckpointPreview, width: int) -> list[Line]:
    """The newest cases of then, the newest first."""
    if not looked.cases:
        return _paragraph("No case was accepted yet.", width)
    name = min(16, max(8, width // 3), longest(category.name for category in looked.plan.categories))
    lines = []
    for case in looked.cases:
        spans: list[Span] = [(fit(case.category, name), "muted"), (f" {'#' + str(case.ordinal):>5} ", "faint")]
        lines.append(cut((*spans, (clip(display_text(case.inputs), width), "text")), width))
    return lines


def rejected_lines(looked: CheckpointPreview, width: int) -> list[Line]:
    """What had been turned away last, the newest first."""
    if not looked.rejections:
        return _paragraph("Nothing was turned away yet.", width)
    lines = []
    for turned in looked.rejections:
        stage = fit(stage_words(turned.stage, turned.score), 14)
        spans: list[Span] = [(stage, STAGE_ROLES.get(turned.stage, "bad")), (" ", "text")]
        lines.append(cut((*spans, (clip(turned.text or turned.reason, width), "text")), width))
    return lines


def coverage_lines(coverage: Coverage | None, width: int) -> list[Line]:
    """How many cases of then had each value of each axis, by category; categories that do not fit are left out and named."""
    if coverage is None:
        return _paragraph("Counting …", width)
    made = sheet(coverage, width)
    if not made.rows:
        return _paragraph("The plan of then varies nothing: there is no grid.", width)
    most = max(1, (width - made.label) // made.column)
    shown = range(min(most, len(made.categories)))
    lines: list[Line] = [((" " * made.label, "text"), *made.head(number, -1, shown)) for number in range(made.heading)]
    lines += [(*made.left(row, chosen=False), *made.right(row, None, shown)) for row in range(len(made.rows))]
    if hidden := made.categories[len(shown) :]:
        lines += _paragraph(f"and {', '.join(hidden[:8])}{' …' if len(hidden) > 8 else ''}", width)
    return [cut(line, width) for line in lines]


def chat_lines(messages: Sequence[Message], width: int) -> list[Line]:
    """The end of the conversation as it was then, the newest at the top."""
    lines: list[Line] = []
    for message in reversed(messages):
        if isinstance(message.content, ThoughtsContent):
            continue
        speaker, role = _SPEAKERS.get(message.role, ("", "muted"))
        text = f"▤ {message.text}" if isinstance(message.content, PlanContent) else message.text.replace("**", "")
        if speaker:
            lines.append(((speaker, role),))
        indent = "  " if speaker else ""
        wrapped = [row for row in wrap(text, max(10, width - len(indent))) if row.strip()]
        lines += [((indent + row, "text" if speaker else "muted"),) for row in wrapped[:6]]
        lines += [((f"{indent}…", "faint"),)] if len(wrapped) > 6 else []
    return lines or _paragraph("Nothing was said yet.", width)


def _paragraph(words: str, width: int, role: str = "muted") -> list[Line]:
    return [((row, role),) for row in wrap(words, max(10, width))]
