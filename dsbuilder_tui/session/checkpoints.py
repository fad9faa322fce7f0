"""Points in a session's history: listed, written, named, and looked at."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.branch import CheckpointCause, numbers_there
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Rejection
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import Coverage
from dsbuilder_tui.domain.history_point import HistoryPoint
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.domain.moment_words import local_time, moment
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import MAX_TEXT_LENGTH, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.undo import ActKind, NameFacts
from dsbuilder_tui.session.acting import new_act
from dsbuilder_tui.session.coverage_counts import coverage_at
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import CategoryProgress

_NAME_LENGTH = 80
_NAMES_LENGTH = 500  # characters of the names that are told
_SHOWN_CASES = 20
_ALL = 1_000_000
IN_WORDS = (
    "In words: “the 100th case”, “before I changed refunds”, “yesterday evening”, “2 hours ago”, “2026-11-27 18:30”."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPreview:
    """A session as it was at a checkpoint: the counters of the plan's categories, the plan and its revision, the newest cases
    and rejections, the newest first, and the last messages by then, oldest first."""

    checkpoint: Checkpoint
    counts: dict[str, CategoryProgress]
    revision: int
    plan: DatasetPlanInput
    cases: list[AcceptedCase]
    rejections: list[Rejection]
    messages: list[Message]


class SessionCheckpoints:
    """Reads checkpoints, writes new ones, and shows what the session was at one. Nothing here moves the session; see
    ``session.branches``. All may be called while a run goes on."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def all(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest of all branches, oldest first; ``Checkpoint.branch`` names the line on which each lies. Costs as much as
        are asked for, at any number of cases."""
        return await self._context.files.store.checkpoints.newest(limit)

    async def at(self, number: int) -> Checkpoint:
        """Raises ``InputError`` when there is no checkpoint of that number."""
        return await self._context.files.store.checkpoints.at(number)

    async def save(self, name: str = "", *, note: str = "") -> Checkpoint:
        """Write a checkpoint now. Raises ``InputError`` for a name or a note that is too long."""
        written = await self._context.checkpoint(CheckpointCause.ASKED, name=_name(name), note=_note(note))
        return await self.at(written.id)

    async def rename(self, number: int, name: str, note: str | None = None) -> Checkpoint:
        """Give a checkpoint another name, and with ``note`` another note. Raises ``InputError`` as ``save`` and ``at``."""
        point, files = await self.at(number), self._context.files
        name, note = _name(name), point.note if note is None else _note(note)
        if (name, note) == (point.name, point.note):
            return point
        facts = NameFacts(before=point.name, after=name, number=number, note_before=point.note, note_after=note)
        act = new_act(files, ActKind.CHECKPOINT_NAMED, facts)
        await files.store.checkpoints.rename(number, name, note, act)
        return await self.at(number)

    async def preview(self, number: int, *, most_cases: int = _SHOWN_CASES) -> CheckpointPreview:
        """What the session was at a checkpoint of any branch. Costs the same at any number of cases.

        Raises ``InputError`` when there is no checkpoint of that number.
        """
        store, point = self._context.files.store, await self.at(number)
        revision, plan = await store.plans.of(point)
        counts = await store.checkpoints.counts(number)
        if counts is None:  # of an older format
            found = await store.cases.counts_at(point.seq)
            counts = {name: CategoryProgress(accepted) for name, accepted in found.items()}
        none = CategoryProgress()
        return CheckpointPreview(
            checkpoint=point,
            counts={c.name: counts.get(c.name, none) for c in plan.categories},
            revision=revision,
            plan=plan,
            cases=await store.past_cases.newest(number, most_cases),
            rejections=await store.past_cases.rejections(number, most_cases),
            messages=await store.chat.newest(most_cases, point.message_seq),
        )

    async def plan(self, point: Checkpoint) -> DatasetPlanInput:
        """The plan that was in force at a checkpoint."""
        return (await self._context.files.store.plans.of(point))[1]

    async def coverage(self, number: int) -> Coverage:
        """What the cases covered of the plan at a checkpoint. Reads all of then. Raises ``InputError`` as ``at``."""
        _, plan = await self._context.files.store.plans.of(await self.at(number))
        return await coverage_at(self._context.files, number, plan)

    async def line(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest that the current branch stands on, oldest first. Costs as much as are asked for."""
        return await self._context.files.store.checkpoints.line(limit)

    async def counts_by_line(self) -> tuple[int, int]:
        """How many the current branch stands on, and how many there are on other branches alone."""
        return await self._context.files.store.checkpoints.counts_by_line()

    async def by_count(self, cases: int) -> Checkpoint:
        """The last checkpoint on the line of the current branch that has no more than so many cases. Raises ``InputError``
        when there is none."""
        found = await self._context.files.store.checkpoints.last(cases=cases)
        if found is None:
            raise InputError(
                f"No checkpoint on this branch has {counted(cases, 'case')} or fewer.", "F4 shows which there are."
            )
        return found

    async def by_time(self, until: float) -> Checkpoint:
        """The last checkpoint on the line of the current branch that was written up to a time in seconds. Raises ``InputError``
        when there is none."""
        found = await self._context.files.store.checkpoints.last(until=until)
        if found is None:
            raise InputError(
                f"This branch has no checkpoint from before {local_time(until)}.",
                "`dsbuilder checkpoints` or F4 shows when its first one was written.",
            )
        return found

    async def before_change(self, what: str = "") -> Checkpoint:
        """The last checkpoint on the line of the current branch before a revision of the plan, the newest one that changed the
        category ``what``, or anything at all. Raises ``InputError`` when there is none."""
        store = self._context.files.store
        ends = await store.checkpoints.plan_ends()
        for earlier, later in zip(reversed(ends[:-1]), reversed(ends[1:]), strict=True):
            (_, before), (_, after) = await store.plans.of(earlier), await store.plans.of(later)
            then = {category.name: category for category in before.categories}
            now = {category.name: category for category in after.categories}
            changed = {name for name in {**then, **now} if then.get(name) != now.get(name)}
            if not what or what in changed:
                return earlier
        named = f"The plan of {what}" if what else "The plan"
        raise InputError(f"{named} was not changed on this branch since its first checkpoint.", "F4 shows its history.")

    async def of_point(self, point: HistoryPoint) -> Checkpoint:
        """The checkpoint that is meant. Raises ``InputError`` when none is, or when there is no such."""
        if point.checkpoint is not None:
            return await self.at(point.checkpoint)
        if point.name is not None:
            return await self.named(point.name)
        if point.cases is not None:
            return await self.by_count(point.cases)
        if point.before_change is not None:
            return await self.before_change(point.before_change)
        until = moment(point.when or "", self._context.clock.now())
        if until is None:
            raise InputError(f"{(point.when or '')[:_NAME_LENGTH]!r} is no time.", IN_WORDS)
        return await self.by_time(until)

    async def found(self, words: str) -> Checkpoint:
        """The checkpoint of that number or name, or that words mean: “the 100th case”, “before I changed refunds”, “yesterday
        evening”. Raises ``InputError`` when there is none."""
        from dsbuilder_tui.offline.planner.history_points import point_in_words  # with its table of words

        try:
            return await self.named(words)
        except InputError as error:
            point = point_in_words(words, [category.name for category in self._context.plan.categories])
            if point is None:
                raise InputError(error.problem, f"{error.hint} {IN_WORDS}") from None
        return await self.of_point(point)

    async def named(self, name: str) -> Checkpoint:
        """The newest checkpoint of that name or number, of any branch. Raises ``InputError`` when there is none."""
        points = await self.all(_ALL)
        found = [point for point in points if name.casefold() in (point.name.casefold(), str(point.id))]
        if not found:
            names = "".join(
                f" “{name}” is {number}." for name, number in {p.name: p.id for p in points if p.name}.items()
            )
            there = numbers_there([point.id for point in points])
            raise InputError(f"There is no checkpoint {name[:_NAME_LENGTH]!r}.", f"{there}{names[:_NAMES_LENGTH]}")
        return found[-1]


def _name(text: str) -> str:
    text = whole_characters(text).strip()
    if len(text) > _NAME_LENGTH:
        raise InputError(f"The name has {len(text):,} characters.", f"Use at most {_NAME_LENGTH}.")
    return text


def _note(text: str) -> str:
    text = whole_characters(text).strip()
    if len(text) > MAX_TEXT_LENGTH:
        raise InputError(f"The note has {len(text):,} characters.", f"Use at most {MAX_TEXT_LENGTH:,}.")
    return text
