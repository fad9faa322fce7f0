"""A worker's answer, read as it comes: which of its objects are cases that the model means to deliver, for which slots.

What a model thinks, drafts, quotes or echoes is no case. An answer that begins with JSON, from a model that has been seen to
write nothing else, is believed as it comes; any other is read to its end first, since of several versions the last counts.
While nothing is known of a model, what begins with JSON is held back for a moment only: who writes slowly is to be seen.
What was believed and turns out to have been a draft is told in ``drafts``, and taken out again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dsbuilder_tui.generation.answer_versions import named_slot, read_answer
from dsbuilder_tui.generation.case_scanner import CaseScanner, FoundCase, MalformedCase, RunawayOutput
from dsbuilder_tui.generation.thoughts import behind_fence, closing_tag, leading_tag, may_be_tag, without_white_space

QUOTED = 200  # characters of an answer that are shown when it is of no use
_MOST_TEXT = 512 * 1024  # characters that are kept until the end of an answer
_CLEAN_ANSWERS = 2  # after which a model is believed
_LOOK_BACK = 100  # a closing tag is shorter
_MOST_BEHIND = 64  # characters behind the last case, before the stream is closed
_MOST_DOUBTED, _MOST_DOUBTED_SHARE = (
    4_000,
    4,
)  # characters behind it, and times the answer, when it may hold another version
_CLOSING = " \t\r\n]},;`"

Delivery = tuple[int, Any]  # the index of a slot, and the case as the model wrote it


class AnswerHabits:
    """How one model answers, as far as it has been seen. One instance a run."""

    def __init__(self, *, trusted: bool = False) -> None:
        """``trusted`` when the writer is no language model, and writes nothing but cases."""
        self._clean = _CLEAN_ANSWERS if trusted else 0
        self._unclean = False

    @property
    def doubtful(self) -> bool:
        """Whether an answer has held more than its cases."""
        return self._unclean

    @property
    def trusted(self) -> bool:
        """Whether an answer that begins with JSON can be believed before it has ended."""
        return self._clean >= _CLEAN_ANSWERS and not self._unclean

    def learn(self, *, clean: bool) -> None:
        """Take in whether an answer that was read to its end was one list of cases and nothing else."""
        self._clean += clean
        self._unclean = self._unclean or not clean


class AnswerReader:
    """Reads one answer to a request for ``size`` cases: ``feed`` it, then ``finish``; each returns what can be delivered."""

    def __init__(
        self, size: int, fields: Collection[str] = (), *, several: bool = False, habits: AnswerHabits | None = None
    ) -> None:
        """``fields`` are those of the plan's inputs; ``several`` when each case is to hold a list of candidates."""
        self._size, self._fields, self._several = size, fields, several
        self._habits = habits or AnswerHabits()
        self._eager = self._habits.trusted
        self._scanner = CaseScanner(fields, several=several)
        self._text: list[str] = []  # all of it, until cases are delivered
        self._head = ""  # what has come while it is not known what the answer begins with
        self._opened = ""  # the tag of the thoughts that it begins with
        self._began = self._begins_with_json = False
        self._apart: list[str] = []
        self._slots: dict[int, set[int]] = {}  # by container: those that have a case
        self._delivered: set[int] = set()
        self._before = -1
        self._behind = 0
        self.written = 0  # characters of the answer
        self.thought = 0  # characters of thoughts that came apart from it
        self.found = 0  # objects that are cases, drafts and surplus included
        self.surplus = 0
        self.full = False  # every slot has its case
        self.over = False  # nothing more is worth reading
        self.unfinished = False  # it ended within an object
        self.from_thoughts = False  # the cases stood where the model thinks
        self.believed = False  # before it had ended, by ``believe``
        self.doubted = False  # something comes behind the cases that were believed, and is read as well
        self.drafts: set[int] = set()  # slots whose believed case was a draft
        self._believed_cases: dict[int, Any] = {}
        self._kept = True  # the text is
        self._closed = False  # the list of the cases is
        self._said = ""

    @property
    def only_thoughts(self) -> bool:
        """Whether nothing but thoughts has come."""
        return not self._began and bool(self._opened or self.thought)

    @property
    def quote(self) -> str:
        """The beginning of what came, in one line."""
        return " ".join((self._said.strip() or "".join(self._apart)[: 2 * QUOTED]).split())[:QUOTED]

    def think(self, text: str) -> None:
        """Take in thoughts that the endpoint keeps apart from the answer. Raises ``RunawayOutput``."""
        self.thought += len(text)
        self._apart.append(text)
        if self.thought > 2 * _MOST_TEXT:
            raise RunawayOutput

    def feed(self, text: str) -> list[Delivery]:
        """Take in a piece of the answer. Raises ``RunawayOutput``."""
        self.written += len(text)
        if len(self._said) < QUOTED:
            self._said += text[:QUOTED]
        if self._delivered and self.written > _MOST_TEXT:
            self._text.clear()
            self._kept = False
        if self._kept:
            self._text.append(text)
        too_long = self.written > (_MOST_TEXT if self._began else 2 * _MOST_TEXT)
        if too_long and not (self._eager and self._delivered):
            raise RunawayOutput
        if not self._began:
            text = self._begin(text)
        if not text:
            return []
        if self.full:
            # Only what closes the list, and the end of the stream with its figures, is worth waiting for.
            self._look_behind(text)
            return []
        found = self._scanner.feed(text)
        self.found += len(found)
        ready = self._take(found) if self._eager else []
        if not self._eager and self._begins_with_json:
            self._watch(found)
        self.over = self.over or self.found > 3 * self._size + 30
        return ready

    def _look_behind(self, text: str) -> None:
        """Read what comes behind the last case that was asked for."""
        self._behind += len(text)
        if self.doubted:
            self.over = self._behind > _MOST_DOUBTED + _MOST_DOUBTED_SHARE * (self.written - self._behind)
            return
        more = text.lstrip(_CLOSING)
        self._closed = self._closed or "]" in text[: len(text) - len(more)]
        if not more:
            self.over = self._behind > _MOST_BEHIND
            return
        # A list that goes on holds too many cases; what comes behind its end may be another version of them.
        self._doubt(more[0] != "{" or self._closed)

    def _doubt(self, another: bool) -> None:
        """Something follows the last case that was asked for; ``another`` when it may be another version of them."""
        if another:
            self._habits.learn(clean=False)
        self.doubted = another and self._eager and self._kept
        self.over = not self.doubted

    @property
    def may_believe(self) -> bool:
        """Whether cases are held back only because the model is not known yet."""
        return not self._eager and self._begins_with_json and self.found > 0 and not self._habits.doubtful

    def believe(self) -> list[Delivery]:
        """Stop holding back: what has come so far, as it stands."""
        self._eager = self.believed = True
        read = read_answer("".join(self._text), self._size, self._fields, several=self._several, ended=False)
        self._delivered.update(read.cases)
        self._believed_cases.update(read.cases)
        self._before = max(read.cases, default=-1)
        self.full = len(self._delivered) == self._size
        return list(read.cases.items())

    def finish(self, *, ended: bool) -> list[Delivery]:
        """The cases that were held back until the end. ``ended`` is false when the answer broke off or was cut off."""
        if self._eager and self._delivered:
            self.unfinished = bool(self._scanner.unfinished) and not self.full
            if self._kept and (self.doubted or self.surplus):
                self._look_again(ended=ended)
            return []
        read = read_answer(
            "".join(self._text), self._size, self._fields, several=self._several, ended=ended or self.full,
            apart="".join(self._apart),
        )  # fmt: skip
        self.found = max(self.found, read.found)
        self.surplus = max(0, self.found - len(read.cases))
        self.unfinished = read.unfinished and not self.full
        self.from_thoughts = read.from_thoughts
        self._delivered.update(read.cases)
        if read.cases and (ended or self.full):
            self._habits.learn(clean=read.clean or (self.full and self._begins_with_json))
        return sorted(read.cases.items(), key=lambda item: item[0])

    def _look_again(self, *, ended: bool) -> None:
        """See whether what was believed as it came were drafts of a version behind it."""
        text = "".join(self._text)
        read = read_answer(text, self._size, self._fields, several=self._several, ended=ended)
        for index, raw in self._believed_cases.items():
            if index in read.cases and read.cases[index] != raw:
                self.drafts.add(index)
        if self.drafts:
            self._habits.learn(clean=False)

    def _begin(self, text: str) -> str:
        """What the answer itself begins with, behind leading thoughts; ``""`` while that is not known."""
        head = self._head + text
        while True:
            if self._opened:
                closing = closing_tag(head, 0, self._opened)
                if closing is None:
                    self._head = head[-_LOOK_BACK:]
                    return ""
                head, self._opened = head[closing.end() :], ""
            opening = leading_tag(head)
            if opening is None:
                break
            head, self._opened = head[opening.end() :], opening.group()
        start = behind_fence(head)
        if not start or may_be_tag(start):
            self._head = head if start else without_white_space(head)
            return ""
        self._began, self._head = True, ""
        self._begins_with_json = start[0] in "{["
        self._eager = self._eager and self._begins_with_json
        return head

    def _take(self, found: list[FoundCase]) -> list[Delivery]:
        """Believe what has closed."""
        ready: list[Delivery] = []
        for case in found:
            number = named_slot(case)
            if number == 0 and not self._delivered:
                self._eager = False  # it may count from 0: the others will tell
                return ready
            index = self._before + 1 if number is None else number - 1
            if index in self._delivered and isinstance(case.raw, MalformedCase):
                index = self._before + 1  # what cannot be read names nothing for certain
            if 0 <= index < self._size and index not in self._delivered:
                self._delivered.add(index)
                self._before = index
                self._believed_cases[index] = case.raw
                ready.append((index, case.raw))
            else:
                self.surplus += 1
        self.over = self.surplus > self._size + 10
        if not self.full and len(self._delivered) == self._size:
            self.full = True
            self._closed = found[-1].container not in self._scanner.open_containers
            if self._scanner.unfinished or (self.surplus and self._closed):
                self._doubt(self._closed)
        return ready

    def _watch(self, found: list[FoundCase]) -> None:
        """See whether a list goes on behind the last case that was asked for. Another version would be another list."""
        for case in found:
            if case.container:
                slots = self._slots.setdefault(case.container, set())
                number = named_slot(case)
                index = len(slots) if number is None else number - 1
                if index in slots or index >= self._size:
                    self.full = self.over = len(slots) >= self._size
                    continue
                slots.add(index)
        still_open = self._scanner.open_containers
        for container, slots in self._slots.items():
            if container in still_open and len(slots) >= self._size and self._scanner.unfinished:
                self.full = self.over = True
