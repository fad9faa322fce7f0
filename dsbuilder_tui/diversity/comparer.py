"""Is this text new? Every question is held against what is admitted already, cheapest stage first, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.fingerprint_file import PrintFile
from dsbuilder_tui.diversity.fingerprints import BANDS, Fingerprinter, Prints
from dsbuilder_tui.diversity.lsh_index import Chains
from dsbuilder_tui.diversity.sign_index import Closest
from dsbuilder_tui.diversity.static_embedding import Embedder, Vectors
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.diversity.traits import differing
from dsbuilder_tui.domain.stage import Stage

_MOST_NEAR = 256  # texts that share a band of the signature whose score is counted
_MOST_FLAGS = 3
_EVERYWHERE = ""

Members = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be judged. Cases of one ``category`` are compared with each other; ``rules`` say how."""

    category: str
    text: str
    expectations: Mapping[str, Any]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Score:
    """The nearest earlier case in a stage: its row, and how like it is (0 to 1)."""

    row: int
    value: float


@dataclass(frozen=True, slots=True)
class Match:
    """An admitted case that a candidate repeats. ``score`` has reached ``threshold``."""

    row: int
    stage: str
    score: float
    threshold: float
    reason: str


@dataclass(frozen=True, slots=True)
class Flag:
    """What is worth knowing about a case that was let in.

    ``kind``: contrast (as like as a repeat, but ``differs`` in something that matters), contradiction (the same text
    with other expectations), similar (nearly as like as a repeat).
    """

    kind: str
    row: int
    stage: str
    score: float
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """``row`` is the number of the admitted case; None when it was turned away because of ``match``.

    ``near`` and ``semantic`` are the nearest cases that nothing but the score speaks for keeping apart.
    """

    row: int | None
    text: int  # its structural hash
    match: Match | None = None
    flags: tuple[Flag, ...] = ()
    near: Score | None = None
    semantic: Score | None = None


class _Scope:
    """The cases that are compared with each other."""

    def __init__(self, dimensions: int) -> None:
        self.rows = np.empty(64, np.int64)  # member → row, growing
        self.length = 0
        self.chains = Chains(BANDS + 1)
        self.closest = Closest(dimensions) if dimensions else None

    def extend(self, rows: Members, prints: NDArray[Any], dimensions: int) -> None:
        if self.length + len(rows) > len(self.rows):
            longer = np.empty(max(self.length + len(rows), len(self.rows) * 3 // 2), np.int64)
            longer[: self.length] = self.rows[: self.length]
            self.rows = longer
        self.rows[self.length : self.length + len(rows)] = rows
        self.length += len(rows)
        self.chains.extend(_hashes(prints))
        if self.closest is not None:
            self.closest.extend(prints["vector"][:, :dimensions])

    def add(self, row: int, hashes: NDArray[np.uint32], signs: NDArray[np.uint64] | None) -> None:
        """As ``extend``, for one row whose hashes and signs are known."""
        if self.length == len(self.rows):
            self.rows = np.concatenate([self.rows, np.empty(len(self.rows) // 2, np.int64)])
        self.rows[self.length] = row
        self.length += 1
        self.chains.add(hashes)
        if self.closest is not None and signs is not None:
            self.closest.extend_signs(signs)


class Comparer:
    """Judges texts and remembers those it admits. One thread at a time; the same order gives the same answers.

    With a ``window`` only the last so many admitted cases count. ``across`` compares all categories with each other.
    Fingerprints live in ``file``; about 0.3 KB a case beside it in memory.
    """

    def __init__(
        self,
        embedder: Embedder | None,
        file: PrintFile | None = None,
        *,
        window: int | None = None,
        across: bool = False,
    ) -> None:
        self.fingerprinter = Fingerprinter(embedder)
        self.file = PrintFile(self.fingerprinter.row_type) if file is None else file
        self._dimensions = embedder.dimensions if embedder else 0
        self._window, self._across = window, across
        self._scopes: dict[str, _Scope] = {}

    def __len__(self) -> int:
        return len(self.file)

    def judge(self, questions: Sequence[Question], vectors: Vectors | None = None) -> list[Answer]:
        """One answer a question, in order. What is admitted counts for the questions behind it.

        ``vectors`` when the masked texts have been embedded already. Raises ``StorageError``.
        """
        return [answers[0] for answers in self.judge_groups([[question] for question in questions], vectors)]

    def judge_groups(self, groups: Sequence[Sequence[Question]], vectors: Vectors | None = None) -> list[list[Answer]]:
        """As ``judge``, but of each group at most one is admitted: the first that is new. The rest is not looked at."""
        prints = self._prints([question for group in groups for question in group], vectors)
        answers, place = [], 0
        for group in groups:
            given: list[Answer] = []
            for offset, question in enumerate(group):
                given.append(self._judge(question, prints, place + offset))
                if given[-1].row is not None:
                    break
            answers.append(given)
            place += len(group)
        return answers

    def admit(self, questions: Sequence[Question], vectors: Vectors | None = None) -> range:
        """Let texts in without comparing them. Returns their rows."""
        rows = self.remember(questions, vectors)
        self.index(np.arange(rows.start, rows.stop), [question.category for question in questions])
        return rows

    def remember(self, questions: Sequence[Question], vectors: Vectors | None = None) -> range:
        """Put texts into the file; they count from ``index`` on. Returns their rows."""
        prints = self._prints(questions, vectors)
        return self.file.add(prints.rows, prints.tokens)

    def index(self, rows: Members, categories: Sequence[str]) -> None:
        """Take rows of the file into the comparison; they must be newer than all taken before."""
        prints = self.file.rows
        names = [_EVERYWHERE] * len(rows) if self._across else categories
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        group = np.array([numbers[name] for name in names])
        for name, number in numbers.items():
            chosen = rows[group == number]
            for first in range(0, len(chosen), 50_000):  # a piece at a time: copies stay small
                some = chosen[first : first + 50_000]
                self._scope(name).extend(some, prints[some], self._dimensions)

    def _scope(self, name: str) -> _Scope:
        scope = self._scopes.get(name)
        if scope is None:
            scope = self._scopes[name] = _Scope(self._dimensions)
        return scope

    def _prints(self, questions: Sequence[Question], vectors: Vectors | None) -> Prints:
        return self.fingerprinter.prints([q.text for q in questions], [q.expectations for q in questions], vectors)

    def _judge(self, question: Question, prints: Prints, place: int) -> Answer:
        own = prints.rows[place]
        scope = self._scope(_EVERYWHERE if self._across else question.category)
        inquiry = _Inquiry(self.file, scope, question.rules, own, prints.tokens[place], prints.vectors[place])
        if self._window is not None:
            oldest = len(self.file) - self._window
            inquiry.first = int(np.searchsorted(scope.rows[: scope.length], oldest))
        match = inquiry.match()
        if match is not None:
            return Answer(None, int(own["text"]), match)
        own["nearest"] = inquiry.nearest
        rows = self.file.add(prints.rows[place : place + 1], [prints.tokens[place]])
        scope.add(rows.start, inquiry.hashes, inquiry.signs)
        return Answer(
            rows.start, int(own["text"]), None, tuple(inquiry.flags[:_MOST_FLAGS]), inquiry.near, inquiry.semantic
        )


class _Inquiry:
    """One question held against one scope."""

    def __init__(
        self, file: PrintFile, scope: _Scope, rules: Rules, own: Any, tokens: NDArray[np.uint32], vector: Vectors
    ) -> None:
        self._file, self._scope, self._rules = file, scope, rules
        self._own, self._tokens, self._vector = own, tokens, vector
        self.hashes = _hashes(own[np.newaxis])[0]
        # Of the vector as it is stored: what is read from the file later must have the same.
        self.signs = None if scope.closest is None else scope.closest.signs(own["vector"][np.newaxis, : len(vector)])
        self.first = 0
        self.flags: list[Flag] = []
        self.near: Score | None = None
        self.semantic: Score | None = None
        self.nearest = float("nan")

    def match(self) -> Match | None:
        stages = self._rules.stages
        if not stages or self.first >= self._scope.length:
            return None
        shared = self._sharing() if stages & {Stage.STRUCTURAL, Stage.NEAR} else np.empty(0, np.int64)
        found = self._structural(shared) if Stage.STRUCTURAL in stages else None
        if found is None and Stage.NEAR in stages:
            found = self._near(shared)
        if found is None and Stage.SEMANTIC in stages and self._scope.closest is not None and self._vector.any():
            found = self._semantic()
        return found

    def _sharing(self) -> Members:
        members = self._scope.chains.sharing(self.hashes, _MOST_NEAR)
        return self._scope.rows[members[members >= self.first]]

    def _structural(self, shared: Members) -> Match | None:
        rows = self._file.rows
        same = shared[rows["text"][shared] == self._own["text"]]
        if not len(same):
            return None
        alike = same[rows["expected"][same] == self._own["expected"]]
        if len(alike):
            reason = "the same text apart from ids, dates, names or other detail"
            return Match(int(alike[0]), Stage.STRUCTURAL, 1.0, 1.0, reason)
        self.flags.append(Flag("contradiction", int(same[0]), Stage.STRUCTURAL, 1.0, ("expectations",)))
        return None

    def _near(self, shared: Members) -> Match | None:
        if not len(shared) or not len(self._tokens):
            return None
        rows = self._file.rows
        counts = rows["count"][shared].astype(np.int64)
        shared, counts = shared[counts > 0], counts[counts > 0]
        if not len(shared):
            return None
        theirs = np.concatenate([self._file.tokens_of(int(row)) for row in shared])
        at = np.minimum(np.searchsorted(self._tokens, theirs), len(self._tokens) - 1)
        both = np.add.reduceat((self._tokens[at] == theirs).astype(np.int64), np.cumsum([0, *counts[:-1]]))
        scores = np.round(both / (counts + len(self._tokens) - both), 4)
        shorter = np.minimum(rows["words"][shared], self._own["words"])
        for place in np.lexsort((-shared, -scores)):
            row, score = int(shared[place]), float(scores[place])
            threshold = self._rules.near_for(int(shorter[place]))
            if differs := self._differs(row):
                if score >= threshold:
                    self._flag("contrast", row, Stage.NEAR, score, differs)
                continue
            if self.near is None:
                self.near = Score(row, score)
            if score >= threshold:
                return Match(row, Stage.NEAR, score, threshold, f"{score:.0%} of its words and word pairs are the same")
            if score < self._rules.near_for(0):
                break
        return None

    def _semantic(self) -> Match | None:
        closest = self._scope.closest
        assert closest is not None and self.signs is not None
        members = closest.candidates(self.signs, self.first)
        candidates = self._scope.rows[members]
        theirs = self._file.rows["vector"][candidates][:, : len(self._vector)].astype(np.float32)
        # Not `@`: it may go through a library that has threads of its own, and sums in an order of its own.
        scores = np.round(np.einsum("ij,j->i", theirs, self._vector), 4)
        self.nearest = float(scores.max(initial=-1.0))
        rules = self._rules
        for place in np.lexsort((-candidates, -scores)):
            row, score = int(candidates[place]), min(1.0, float(scores[place]))
            if score < rules.similar:
                if self.semantic is None:
                    self.semantic = Score(row, score)
                break
            if differs := self._differs(row):
                if score >= rules.semantic:
                    self._flag("contrast", row, Stage.SEMANTIC, score, differs)
                continue
            if self.semantic is None:
                self.semantic = Score(row, score)
            if score >= rules.semantic:
                return Match(
                    row, Stage.SEMANTIC, score, rules.semantic, f"it says the same in other words ({score:.2f})"
                )
            self._flag("similar", row, Stage.SEMANTIC, score)
            break
        return None

    def _differs(self, row: int) -> tuple[str, ...]:
        theirs = self._file.rows[row]
        differs = differing(self._own["traits"].tolist(), theirs["traits"].tolist())
        return differs if self._own["expected"] == theirs["expected"] else (*differs, "expectations")

    def _flag(self, kind: str, row: int, stage: str, score: float, differs: tuple[str, ...] = ()) -> None:
        if all(flag.row != row for flag in self.flags):
            self.flags.append(Flag(kind, row, stage, score, differs))


def _hashes(prints: NDArray[Any]) -> NDArray[np.uint32]:
    """The columns under which texts are looked up: one for the whole text, one a band."""
    whole = (prints["text"].astype(np.uint64) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return np.concatenate([whole[:, np.newaxis], prints["bands"]], axis=1)
