"""Requests for stages of writing: “make the refunds harder”, “let a second model criticise and revise them”."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.writing_stage import EvolveManner, PlannedStage, WritingStage, planned_pipeline
from dsbuilder_tui.offline.planner.category_mentions import MANY, C
from dsbuilder_tui.offline.planner.utterance import MASK

_WHOM = (
    rf"(?:(?:all )?(?:of )?(?P<some>{MANY})|(?P<all>everything|all(?: of (?:it|them))?|(?:all )?(?:of )?the cases|all cases|"
    r"the (?:whole )?dataset|it)|(?P<them>them(?: all)?|those|these))(?: cases)?"
)
_MORE = r"(?:(?:much|even|a (?:bit|little|lot)|still|way|somewhat) )?"
_MANNERS = (
    (EvolveManner.HARDER, r"harder|tougher|trickier|(?:more )(?:difficult|challenging|demanding|complex|tricky)"),
    (EvolveManner.RARER, r"rarer|more (?:rare|unusual|uncommon|exotic|out of the ordinary)"),
    (EvolveManner.CONSTRAINTS, r"more (?:constrained|constraints|conditions|requirements|restrictions)"),
    (EvolveManner.ADVERSARIAL, r"more (?:adversarial|hostile|malicious)"),
)
_HOW = "|".join(f"(?P<{manner}>{words})" for manner, words in _MANNERS)
_CRITIC = (
    rf"(?:(?:a |the )?(?:second|other|different|separate|better|bigger|stronger)(?: model| one)?|another(?: model| one)?|"
    rf"an? (?:critic|reviewer|critique)|the judge|(?:the )?(?:model )?(?P<model>{MASK}))"
)
_CRITICISE = r"criti(?:ci[sz]e|que)|review|check(?: over)?"
_REVISE = r"(?:and |, )+(?:then )?(?:revise|rewrite|improve|mend|fix|correct)"
_DONE = r"criti(?:ci[sz]ed|qued)|reviewed"
_REVISED = r"(?:and |, )+(?:then )?(?:revised|rewritten|improved|mended|fixed|corrected)"
_WANT = r"(?:i|we) want|(?:i|we)(?:'d| would) like"
_BY = rf"(?: (?:with|by|using) {_CRITIC})?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:make|turn|write|have|let|put|{_WANT}) {_WHOM} (?:to be |be )?{_MORE}(?:{_HOW}){_BY}",
        rf"{_WHOM} (?:should|must|could|have to|has to|needs? to|ought to) be(?:come)? {_MORE}(?:{_HOW})",
        rf"{_WHOM} (?:is|are) (?P<{EvolveManner.HARDER}>(?:far |much |way )?too (?:easy|simple))",
        rf"(?:{_HOW}) {_WHOM}",
        rf"(?:give|add) {_WHOM} {_MORE}(?:{_HOW})",
        rf"(?:add|put) {_MORE}(?:{_HOW}) (?:to|into|in) {_WHOM}",
        rf"evolve {_WHOM}(?: (?:to be |to |so that they are |into )?{_MORE}(?:{_HOW})(?: ones)?)?{_BY}",
        rf"(?:let|have|get|use) {_CRITIC} (?:to )?(?:make|evolve) {_WHOM}(?: {_MORE}(?:{_HOW}))?",
        rf"(?:let|have|get|make|use|take) {_CRITIC} (?:to )?(?P<crit>{_CRITICISE})(?: (?P<rev>{_REVISE}))? {_WHOM}",
        rf"(?:let|have|get|make|{_WANT}) {_WHOM} (?:to be |be )?(?P<crit>{_DONE})(?: (?P<rev>{_REVISED}))?(?: by {_CRITIC})?",
        rf"{_WHOM} (?:should|must) be (?P<crit>{_DONE})(?: (?P<rev>{_REVISED}))?(?: by {_CRITIC})?",
        rf"(?P<crit>{_CRITICISE})(?: (?P<rev>{_REVISE})) {_WHOM}{_BY}",
        rf"(?P<crit>criti(?:ci[sz]e|que)) {_WHOM}{_BY}",
        rf"add a (?P<crit>critique)(?P<rev> and (?:a )?(?:revision|revise))?(?: stages?)? (?:to|for) {_WHOM}",
        rf"(?P<off>no (?:further )?(?:stages|pipeline)) (?:for|in) {_WHOM}",
        rf"(?P<off>(?:only |just )draft|draft) {_WHOM}(?: (?:only|alone))",
        rf"(?P<off>stop (?:evolving|critici[sz]ing|revising|reviewing)(?: and revising)?) {_WHOM}",
    )
)
_TWO = re.compile(r" (?:and|, and|,) (?=(?:let|have|get|make|give|evolve|criti)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StageRequest:
    """What one clause asks for. ``mentions`` are the marks of the categories; ``whole`` when every one is meant.

    Without ``stages`` the cases are to be drafted alone.
    """

    stages: tuple[PlannedStage, ...]
    mentions: tuple[str, ...]
    whole: bool

    def pipeline(self, category: Mapping[str, Any]) -> list[str | dict[str, dict[str, str]]]:
        """The category's stages with these, as entries of a plan."""
        if not self.stages:
            return []
        there = {stage.stage: stage for stage in planned_pipeline(category.get("pipeline"))}
        there.update({stage.stage: stage for stage in self.stages})
        return [there[stage].as_entry() for stage in WritingStage if stage in there and stage is not WritingStage.DRAFT]


def stage_requests(text: str, piece: Callable[[str], str]) -> list[StageRequest]:
    """What a clause with marked categories asks for; none when a part of it is about something else.

    ``piece`` gives what stands for a mask: the name of a model.
    """
    parts = [part.strip() for part in _TWO.split(text)]
    found: list[StageRequest] = []
    last: tuple[str, ...] = ()
    for part in parts:
        match = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(part))), None)
        if match is None:
            return []
        groups = match.groupdict()
        mentions = tuple(re.findall(C, groups["some"] or "")) or (last if groups["them"] else ())
        found.append(StageRequest(_stages(groups, piece), mentions, whole=not mentions))
        last = mentions or last
    return found


def _stages(groups: Mapping[str, str | None], piece: Callable[[str], str]) -> tuple[PlannedStage, ...]:
    if groups.get("off"):
        return ()
    name = groups.get("model")
    model = piece(name) if name else None
    if groups.get("crit"):
        critique = PlannedStage(stage=WritingStage.CRITIQUE, model=model)
        return (critique, PlannedStage(stage=WritingStage.REVISE)) if groups.get("rev") else (critique,)
    how = next((manner for manner in EvolveManner if groups.get(manner.value)), EvolveManner.HARDER)
    return (PlannedStage(stage=WritingStage.EVOLVE, how=how, model=model),)
