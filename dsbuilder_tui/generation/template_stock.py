"""The stock of templates of one category: which of them cases are made of, which are dropped, and when more are needed."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import xxhash

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_template import CaseTemplate, shown_inputs
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.gate import TurnedAway
from dsbuilder_tui.generation.template_check import TemplateCheck
from dsbuilder_tui.generation.template_prompt import TemplatePrompter, templates_for
from dsbuilder_tui.store.templates import StoredTemplate

_WINDOW = 12  # the last cases of a template by which it is known
_MOST_REJECTED = 0.6  # of them; beyond, it is dropped
_FEWEST_BAD = 3  # verdicts of the judge on cases that count
_MOST_BARREN = 3  # calls in a row without a sound template
_FIRST_CALLS, _CASES_A_CALL = 3, 500  # how many calls a category may take in a run
_CALLS_FOR_ROOM = 3
_FEWEST_MORE, _MOST_MORE = 4, 12  # templates that a later call is asked for
_MOST_FAULTS = 12


class TemplateStock:
    """What is known of the templates of one category in a run."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, seed: int) -> None:
        """Raises as ``TemplateCheck``."""
        self.category, self._seed = category, seed
        self.check = TemplateCheck(plan, category, seed)
        self.prompter = TemplatePrompter(plan, category, self.check.axes)
        self.written_for = xxhash.xxh3_128_hexdigest(self.prompter.fingerprint.encode())
        self.live: dict[str, StoredTemplate] = {}
        self._known: list[CaseTemplate] = []  # those that were dropped, too
        self._recent: dict[str, deque[bool]] = {}  # by name: whether its last cases were let in
        self._verdicts: dict[str, Counter[Judgement]] = {}
        self.faults: list[str] = []  # of templates that were turned away, for the next call
        self.lacking: list[str] = []  # attributes that no template shows
        self._dropped = 0  # since the last call
        self._short = False  # there are fewer different cases than are needed
        self.asking = False
        self.calls = self._barren = 0
        self.most_calls = _FIRST_CALLS + math.ceil(category.count / _CASES_A_CALL)

    def restore(self, stored: Iterable[StoredTemplate]) -> None:
        """Take over what was kept of an earlier run, as far as it was written for what the category says today."""
        for one in stored:
            if one.category == self.category.name and one.written_for == self.written_for:
                self._known.append(one.template)
                if not one.dropped:
                    self.live[one.name] = one
        if self.live:
            self._look()

    # -- calls

    @property
    def may_ask(self) -> bool:
        """Whether another call would be within bounds."""
        return self.calls < self.most_calls and self._barren < _MOST_BARREN

    @property
    def needs_call(self) -> bool:
        needy = not self.live or self.lacking or self._dropped or self._short
        return bool(needy) and not self.asking and self.may_ask

    @property
    def is_held(self) -> bool:
        """Whether no case can be made now: a call is to bring the templates first."""
        return not self.live or bool(self.lacking and (self.asking or self.may_ask))

    @property
    def is_stuck(self) -> bool:
        """Whether there are no templates, and none are to be had."""
        return not self.live and not self.asking and not self.may_ask

    @property
    def wanted(self) -> int:
        """How many templates the next call is asked for."""
        if not self.live and not self._known:
            return templates_for(self.category.count)
        more = max(self._dropped, 2 * len(self.lacking), len(self._known) // 2 if self._short or not self.live else 0)
        return min(_MOST_MORE, max(_FEWEST_MORE, more))

    @property
    def there(self) -> list[str]:
        """The templates that there are, as they are shown to whoever writes others."""
        return [shown_inputs(template.inputs) for template in self._known]

    def sound(self, templates: Sequence[CaseTemplate], faults: Sequence[str]) -> list[CaseTemplate]:
        """The templates of an answer that cases can be made of; what is wrong with the others is kept in mind."""
        self.faults = list(faults)
        found: list[CaseTemplate] = []
        for template in templates:
            checked = self.check.sound(template)
            if isinstance(checked, str):
                self.faults.append(f"“{shown_inputs(template.inputs)}”: {checked}")
            elif self.check.repeats(checked, [*self._known, *found]):
                self.faults.append(f"“{shown_inputs(template.inputs)}”: it says what another template says")
            else:
                found.append(checked)
        return found

    def answered(self, stored: Sequence[StoredTemplate]) -> None:
        """A call has ended with these templates, which may be none."""
        self.calls += 1
        self._barren = 0 if stored else self._barren + 1
        self._dropped = 0
        for one in stored:
            self.live[one.name] = one
            self._known.append(one.template)
        self._look()
        del self.faults[:-_MOST_FAULTS]

    def _look(self) -> None:
        live = [one.template for one in self.live.values()]
        self.lacking = self.check.uncovered(live) if live else []
        # Once they have been asked for more, the gate says whether there is enough.
        self._short = bool(live) and self.calls < _CALLS_FOR_ROOM and self.check.room(live) < self.category.count

    # -- cases

    def fitting(self, slot: Slot, attempt: int) -> StoredTemplate | None:
        """The template for a slot: one that shows its attributes, another one after each try. None where there is none."""
        fitting = [one for one in self.live.values() if self.check.axes.fits(one.template, slot.attributes)]
        if not fitting:
            return None
        first = xxhash.xxh3_64_intdigest(f"{self._seed}\x1f{slot.category}\x1f{slot.ordinal}".encode())
        return fitting[(first + attempt) % len(fitting)]

    def lacks(self, slot: Slot) -> None:
        """No template fits a slot."""
        self.lacking = list(dict.fromkeys([*self.lacking, *self.check.uncovered([], [slot])[-1:]]))

    def decided(self, name: str, turned_away: TurnedAway | None) -> str:
        """A case of a template was let in, or turned away. Returns why the template is to be dropped, or nothing."""
        recent = self._recent.setdefault(name, deque(maxlen=_WINDOW))
        recent.append(turned_away is None)
        rejected = recent.count(False)
        if turned_away is None or len(recent) < _WINDOW or rejected / _WINDOW < _MOST_REJECTED:
            return ""
        last = f"the last one at {turned_away.stage}: {turned_away.reason}"
        return f"{rejected} of its last {_WINDOW} cases were turned away, {last}"

    def judged(self, name: str, finding: Judgement, reason: str) -> str:
        """The judge has read a case that counts. Returns why its template is to be dropped, or nothing."""
        seen = self._verdicts.setdefault(name, Counter())
        seen[finding] += 1
        bad, good = seen[Judgement.BAD], seen[Judgement.GOOD]
        if finding is not Judgement.BAD or bad < _FEWEST_BAD or bad <= good:
            return ""
        return f"the judge found {bad} of {bad + good} of its cases bad, the last one for {reason}"

    def drop(self, name: str, why: str) -> bool:
        """Take a template out, if it can be done without: others fit what it fits, or more can be asked for. Returns
        whether it was."""
        if name not in self.live or not (self.may_ask or len(self.live) > 1):
            return False
        gone = self.live.pop(name)
        self._dropped += 1
        self.faults.append(f"“{shown_inputs(gone.template.inputs)}”: {why}")
        self._look()
        return True
