"""Acts that can be undone: what kinds there are, what is remembered of one, and how it is called in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible


class ActKind(StrEnum):
    """What was done."""

    PLAN = "plan"
    SETTINGS = "settings"
    CASE_EDITED = "case_edited"
    CASE_NOTED = "case_noted"
    CASE_PINNED = "case_pinned"
    CASE_UNPINNED = "case_unpinned"
    CASE_REVIEWED = "review_marked"
    CASE_UNREVIEWED = "review_unmarked"
    CASE_REJECTED = "case_rejected"
    CASE_KEPT = "case_kept"
    SLOTS_REOPENED = "slots_reopened"
    SESSION_RENAMED = "session_renamed"
    BRANCH_RENAMED = "branch_renamed"
    BRANCH_FORKED = "branch_forked"
    BRANCH_SWITCHED = "branch_switched"
    BRANCH_DELETED = "branch_deleted"
    BRANCH_RESTORED = "branch_restored"
    CHECKPOINT_NAMED = "checkpoint_named"
    REWOUND = "rewound"
    MERGED = "merged"


class Actor(StrEnum):
    """Who did it."""

    PERSON = "person"
    AGENT = "agent"


class ActState(StrEnum):
    """What has become of an act."""

    DONE = "done"
    UNDONE = "undone"
    DROPPED = "dropped"  # undone, and something else was done since: it cannot be redone
    OUTDATED = "outdated"  # what it changed says something else by now: it cannot be undone


class _ActFacts(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseFacts(_ActFacts):
    """An act on the case of one slot; ``seq`` is the place of the case in the history."""

    about: Literal["case"] = "case"
    case_id: str
    category: str
    ordinal: int
    seq: int


class SlotsFacts(_ActFacts):
    """Exhausted slots that were opened again."""

    about: Literal["slots"] = "slots"
    count: int


class PlanFacts(_ActFacts):
    """Revisions of the plan before and after, and categories that got other names: old → new. ``merged`` names the branch whose
    cases came with it."""

    about: Literal["plan"] = "plan"
    before: int
    after: int
    planned_before: int
    planned_after: int
    renamed: dict[str, str] = {}
    merged: str = ""


class SettingChange(_ActFacts):
    """One setting of the session's layer: the values and their seals, None where there is none. ``flag`` says that a flag had
    counted before."""

    name: str
    before: Any = None
    after: Any = None
    seal_before: str | None = None
    seal_after: str | None = None
    flag: bool = False


class SettingsFacts(_ActFacts):
    """Settings of the session that were changed together."""

    about: Literal["settings"] = "settings"
    settings: tuple[SettingChange, ...]


class NameFacts(_ActFacts):
    """Another name; of a checkpoint also its number, and another note."""

    about: Literal["name"] = "name"
    before: str
    after: str
    number: int | None = None
    note_before: str = ""
    note_after: str = ""


class BranchFacts(_ActFacts):
    """A branch that was begun, worked on from then, or brought back: ``left`` holds what there was before, ``checkpoint`` is
    where it begins."""

    about: Literal["branch"] = "branch"
    branch: str
    left: str = ""
    checkpoint: int | None = None


ActFacts = Annotated[
    CaseFacts | SlotsFacts | PlanFacts | SettingsFacts | NameFacts | BranchFacts, Field(discriminator="about")
]
_FACTS: TypeAdapter[ActFacts] = TypeAdapter(ActFacts)


def read_facts(text: str) -> ActFacts:
    """The facts of an act as they are kept. Raises ``ValueError`` for what is none."""
    return _FACTS.validate_json(text)


class ActOutdated(InputError):
    """An act that cannot be undone, or redone, any more: what it changed says something else by now."""


class NothingToUndo(InputError):
    """There is no act to undo, or none to redo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAct:
    """One act as it is remembered. Acts of one ``step`` are undone together; ``created_at`` is in seconds."""

    id: int
    step: int
    kind: ActKind
    actor: Actor
    state: ActState
    facts: ActFacts
    branch: str
    created_at: float

    @property
    def words(self) -> str:
        """``rejected refunds-00012``"""
        return _act_words(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoStep:
    """What is undone or redone at once: the acts of a step, the first one first."""

    acts: tuple[RecordedAct, ...]

    @property
    def number(self) -> int:
        """By which it is listed."""
        return self.acts[0].step

    @property
    def state(self) -> ActState:
        """What has become of it."""
        return self.acts[-1].state

    @property
    def actor(self) -> Actor:
        return self.acts[0].actor

    @property
    def created_at(self) -> float:
        """When it was done, in seconds."""
        return self.acts[0].created_at

    @property
    def words(self) -> str:
        """``rejected refunds-00012``; of several acts of one kind how many there were, of others each."""
        words = list(dict.fromkeys(act.words for act in self.acts))
        if len(self.acts) > 3 and len({act.kind for act in self.acts}) == 1:
            return f"{words[0]} and {len(self.acts) - 1:,} more"
        return ", ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "step": self.number, "state": self.state.value, "actor": self.actor.value, "words": self.words,
            "kinds": [act.kind.value for act in self.acts], "branch": self.acts[0].branch,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """What came of an undo or a redo: the steps in the order in which they were taken, and why it went no further, if it was
    to."""

    redone: bool
    steps: tuple[UndoStep, ...]
    stopped: str = ""

    @property
    def case_id(self) -> str:
        """The case that the last of them was about, or nothing."""
        found = [act.facts.case_id for step in self.steps for act in step.acts if isinstance(act.facts, CaseFacts)]
        return found[-1] if found else ""

    @property
    def settings(self) -> tuple[SettingChange, ...]:
        """The settings that it was about."""
        facts = [act.facts for step in self.steps for act in step.acts]
        return tuple(change for one in facts if isinstance(one, SettingsFacts) for change in one.settings)

    @property
    def words(self) -> str:
        """``Undid: rejected refunds-00012; changed budget.``"""
        said = (
            f"{undone_words('; '.join(step.words for step in self.steps), redone=self.redone)}." if self.steps else ""
        )
        return " ".join(part for part in (said, self.stopped) if part)


def undone_words(words: str, *, redone: bool) -> str:
    """``Undid: rejected refunds-00012``"""
    return f"{'Redid' if redone else 'Undid'}: {words}"


def steps_of(acts: Sequence[RecordedAct]) -> list[UndoStep]:
    """The steps that acts belong to, in their order."""
    steps: dict[int, list[RecordedAct]] = {}
    for act in acts:
        steps.setdefault(act.step, []).append(act)
    return [UndoStep(acts=tuple(found)) for found in steps.values()]


_CASE_WORDS: Mapping[ActKind, str] = {
    ActKind.CASE_EDITED: "edited", ActKind.CASE_NOTED: "wrote a note on", ActKind.CASE_PINNED: "pinned",
    ActKind.CASE_UNPINNED: "unpinned", ActKind.CASE_REVIEWED: "reviewed", ActKind.CASE_UNREVIEWED: "took back the review of",
    ActKind.CASE_REJECTED: "rejected", ActKind.CASE_KEPT: "kept the rejected",
}  # fmt: skip


_BRANCH_WORDS: Mapping[ActKind, str] = {
    ActKind.BRANCH_FORKED: "began", ActKind.BRANCH_SWITCHED: "switched to", ActKind.BRANCH_DELETED: "deleted",
    ActKind.BRANCH_RESTORED: "brought back",
}  # fmt: skip


def _act_words(act: RecordedAct) -> str:
    facts = act.facts
    match facts:
        case CaseFacts():
            return f"{_CASE_WORDS.get(act.kind, 'changed')} {facts.case_id}"
        case SlotsFacts():
            return f"opened {counted(facts.count, 'exhausted slot')} again"
        case PlanFacts():
            return _plan_words(facts)
        case SettingsFacts():
            shown = [f"{change.name} = {_value(change.after)}" for change in facts.settings[:3]]
            more = len(facts.settings) - len(shown)
            return f"set {', '.join(shown)}" + (f" and {more} more" if more else "")
        case NameFacts():
            return _name_words(act.kind, facts)
        case BranchFacts():
            branch, at = visible(facts.branch), f"checkpoint {facts.checkpoint}"
            if (verb := _BRANCH_WORDS.get(act.kind)) is not None:
                return f"{verb} the branch {branch}"
            return f"went back to {at}"


def _plan_words(facts: PlanFacts) -> str:
    size = counted(facts.planned_after, "case")
    if facts.merged:
        return f"merged the branch {visible(facts.merged)}"
    if not facts.planned_before:
        return f"took on the plan of {size}"
    if facts.planned_before != facts.planned_after:
        return f"changed the plan from {facts.planned_before:,} to {size}"
    renamed = ", ".join(f"{old} is now {new}" for old, new in facts.renamed.items())
    return f"changed the plan ({renamed[:200]})" if renamed else "changed the plan"


def _name_words(kind: ActKind, facts: NameFacts) -> str:
    before, after = visible(facts.before), visible(facts.after)
    if kind is ActKind.CHECKPOINT_NAMED:
        named = f" {after}" if facts.after and facts.after != facts.before else ""
        return f"named checkpoint {facts.number}{named}" if named else f"changed the note of checkpoint {facts.number}"
    what = "the session" if kind is ActKind.SESSION_RENAMED else "the branch"
    return f"renamed {what} {before} to {after}"


def _value(value: Any) -> str:
    if value is None:
        return "its default"
    text = str(value) if not isinstance(value, bool) else "on" if value else "off"
    return visible(text if len(text) <= 60 else f"{text[:59]}…")
