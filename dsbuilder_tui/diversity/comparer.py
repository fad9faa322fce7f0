"""Is this text new? Every question is held against what is admitted already, cheapest stage first, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.answer import Answer, Match, Question
from dsbuilder_tui.diversity.comparing_stage import ComparingStage, TextStage
from dsbuilder_tui.diversity.exact_index import ExactIndex
from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.fingerprints import BANDS, FingerprintBatch, Fingerprinter, hashes_of
from dsbuilder_tui.diversity.inquiry import AskedTexts, Inquiry
from dsbuilder_tui.diversity.lsh_index import LshIndex, RecentLshIndex
from dsbuilder_tui.diversity.nearest import NearestRows
from dsbuilder_tui.diversity.passages import ReadText, read_texts
from dsbuilder_tui.diversity.scope import Members, Scope, salted
from dsbuilder_tui.diversity.sharing_rows import SharingTexts
from dsbuilder_tui.diversity.static_embedding import Embedder, Vectors
from dsbuilder_tui.diversity.text_index import ComparedCase
from dsbuilder_tui.domain.stage import COMPARING_STAGES, Stage
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.stage_names import STAGES

T = TypeVar("T")
_MOST_FLAGS = 3
_EVERYWHERE = ""
_PIECE = 8_192  # rows


class Comparer:
    """Judges texts and remembers those it admits. One thread at a time; the same order gives the same answers.

    With a ``window`` only the last so many admitted cases count. ``across`` compares all categories with each other.
    Fingerprints live in ``file``; about 0.3 KB a case beside it in memory. ``plug_ins`` are the names of the stages that judge
    after the built-in ones. ``measure`` makes the vectors of the figures, where they are not those that are compared.
    With ``passages`` a long part of inputs that comes again in a scope is no likeness (``read_texts``). With ``recent`` a case
    takes 5 bytes of memory: what older ones share with a text others look for, and tell ``judge_prints``. Where no rules say
    ``once``, it need not be known.
    """

    def __init__(
        self,
        embedder: Embedder | None,
        file: FingerprintFile | None = None,
        *,
        window: int | None = None,
        across: bool = False,
        plug_ins: Sequence[str] = (),
        measure: Embedder | None = None,
        passages: bool = False,
        recent: bool = False,
        once: bool = True,
    ) -> None:
        """Raises ``ConfigError`` for a stage that is not registered, ``PlugInBroken`` for one that cannot be loaded."""
        self._stages: list[tuple[str, ComparingStage]] = [
            (str(name), STAGES.load(name)) for name in (*COMPARING_STAGES, *plug_ins)
        ]
        self._by_text = {name: stage for name, stage in self._stages if isinstance(stage, TextStage)}
        self.fingerprinter = Fingerprinter(embedder, measure)
        self.file = FingerprintFile(self.fingerprinter.row_type) if file is None else file
        self._dimensions = embedder.dimensions if embedder else 0
        self._measured = measure.dimensions if measure else 0
        self._window, self._across, self._passages = window, across, passages
        self._scopes: dict[str, Scope] = {}
        self._exact = ExactIndex() if once else None
        # One for all scopes: there may be many small ones.
        self._lsh = RecentLshIndex(BANDS + 1) if recent else LshIndex(BANDS + 1)

    def __len__(self) -> int:
        return len(self.file)

    def judge(self, questions: Sequence[Question], vectors: Vectors | None = None) -> list[Answer]:
        """One answer a question, in order. What is admitted counts for the questions behind it.

        ``vectors`` when the masked texts have been embedded already. Raises ``StorageError``.
        """
        return [answers[0] for answers in self.judge_groups([[question] for question in questions], vectors)]

    def judge_prints(
        self,
        questions: Sequence[Question],
        prints: FingerprintBatch,
        sharing: SharingTexts,
        nearest: NearestRows | None,
        until: int,
    ) -> list[Answer]:
        """As ``judge``, of texts whose fingerprints are made already, by a comparer of ``recent`` cases.

        ``sharing`` has the rows before row ``until`` that share hashes with each text, ``nearest`` the nearest of its scope
        where they are known; ``until`` never goes back.
        """
        assert isinstance(self._lsh, RecentLshIndex)
        self._lsh.forget(until)
        asked = AskedTexts.of(prints, self._dimensions, self._measured, sharing, nearest, until)
        return [self._judge(question, asked, place) for place, question in enumerate(questions)]

    def judge_groups(self, groups: Sequence[Sequence[Question]], vectors: Vectors | None = None) -> list[list[Answer]]:
        """As ``judge``, but of each group at most one is admitted: the first that is new. The rest is not looked at.

        Nor is it behind one whose answer is ``broken``.
        """
        prints = self._prints([question for group in groups for question in group], vectors)
        asked, answers, place = AskedTexts.of(prints, self._dimensions, self._measured), [], 0
        for group in groups:
            given: list[Answer] = []
            for offset, question in enumerate(group):
                given.append(self._judge(question, asked, place + offset))
                if given[-1].row is not None or given[-1].broken is not None:
                    break
            answers.append(given)
            place += len(group)
        return answers

    def ask(self, questions: Sequence[Question], vectors: Vectors | None = None) -> list[Answer]:
        """What stands against each question so far. Nothing is admitted: an answer without a ``match`` has no row either."""
        asked = AskedTexts.of(self._prints(questions, vectors), self._dimensions, self._measured)
        answers: list[Answer] = []
        for place, question in enumerate(questions):
            inquiry = self._inquiry(question, asked, place)
            answers.append(self._objection(inquiry) or Answer(None, int(inquiry.own["text"])))
        return answers

    def admit(self, questions: Sequence[Question], vectors: Vectors | None = None) -> range:
        """Let texts in without comparing them. Returns their rows."""
        rows = self.remember(questions, vectors)
        self.index(np.arange(rows.start, rows.stop), [question.category for question in questions])
        self.recall(rows, questions)
        return rows

    def take_examples(self, questions: Sequence[Question], vectors: Vectors | None = None) -> range:
        """Let in what is no case, and may not be repeated either. Returns its rows."""
        rows = self.remember(questions, vectors)
        self.index(np.arange(rows.start, rows.stop), [question.category for question in questions])
        return rows

    def remember(self, questions: Sequence[Question], vectors: Vectors | None = None) -> range:
        """Put texts into the file; they count from ``index`` on. Returns their rows."""
        prints = self._prints(questions, vectors)
        return self.file.add(prints.rows, prints.tokens)

    def expect(self, rows: int) -> None:
        """So many rows in all will be indexed: room for them is made at once."""
        if isinstance(self._lsh, LshIndex):
            self._lsh.reserve(rows)

    def index(self, rows: Members, categories: Sequence[str]) -> None:
        """Take rows of the file into the comparison: those that follow the ones taken before, in order."""
        prints = self.file.rows
        for first in range(0, len(rows), _PIECE):  # a piece at a time: copies stay small
            some = rows[first : first + _PIECE]
            if self._exact is not None:
                self._exact.extend(prints["exact"][some], some)
            names = [_EVERYWHERE] * len(some) if self._across else categories[first : first + _PIECE]
            scopes = {name: self._scope(name) for name in dict.fromkeys(names)}
            whose = np.array([scopes[name].number for name in names], np.int64)
            self._lsh.extend(salted(hashes_of(prints[some]), whose))
            for scope in scopes.values():
                chosen = some[whose == scope.number]
                scope.extend(chosen, prints[chosen])

    @property
    def needs_texts(self) -> bool:
        """Whether ``recall`` is to be called for what is taken in: a stage goes by texts."""
        return bool(self._by_text)

    def recall(self, rows: Sequence[int], questions: Sequence[Question]) -> None:
        """Tell stages that go by texts what the rows say, oldest first. Raises ``PlugInBroken``."""
        if not self._by_text:
            return
        for row, question in zip(rows, questions, strict=True):
            self._recall(self._scope_of(question), row, ComparedCase.of(question.text, question.expectations))

    def scope_numbers(self, questions: Sequence[Question]) -> NDArray[np.int64]:
        """The number of the scope of each question. To be asked in the order in which they are judged."""
        return np.array([self._scope_of(question).number for question in questions], np.int64)

    def members(self) -> Iterator[tuple[int, NDArray[np.uint32]]]:
        """Of each scope its number and the rows that are in it, growing."""
        for scope in self._scopes.values():
            yield scope.number, scope.rows[: scope.length]

    def forget_signs(self, questions: Sequence[Question]) -> None:
        """Somebody else knows the vectors of all cases so far in the scopes of these questions."""
        for scope in {id(scope): scope for scope in map(self._scope_of, questions)}.values():
            if scope.signs is not None:
                scope.signs.forget_most(scope.length)

    def _recall(self, scope: Scope, row: int, case: ComparedCase) -> None:
        for name, index in scope.texts.items():
            _at_work(name, partial(index.admit, row, case))

    def _scope_of(self, question: Question) -> Scope:
        return self._scope(_EVERYWHERE if self._across else question.category)

    def _scope(self, name: str) -> Scope:
        scope = self._scopes.get(name)
        if scope is None:
            scope = Scope(len(self._scopes), self._dimensions, self._measured)
            if self._by_text:
                scope.texts = {name: _at_work(name, stage.make) for name, stage in self._by_text.items()}
            self._scopes[name] = scope
        return scope

    def _prints(self, questions: Sequence[Question], vectors: Vectors | None) -> FingerprintBatch:
        texts, expected = [q.text for q in questions], [q.expectations for q in questions]
        return self.fingerprinter.prints(texts, expected, vectors, self._read(questions))

    def masked(self, questions: Sequence[Question]) -> list[str]:
        """What is compared of each text, as it is embedded."""
        return self.fingerprinter.masked([part.compared for part in self._read(questions)])

    def _read(self, questions: Sequence[Question]) -> list[ReadText]:
        if not self._passages:
            return [ReadText(question.text) for question in questions]
        known = [self._scope_of(question).passages for question in questions]
        return read_texts([question.text for question in questions], known)

    def _judge(self, question: Question, asked: AskedTexts, place: int) -> Answer:
        inquiry = self._inquiry(question, asked, place)
        if (objection := self._objection(inquiry)) is not None:
            return objection
        scope, own = inquiry.scope, inquiry.own
        own["nearest"] = self._nearest(inquiry)
        rows = self.file.add(asked.prints.rows[place : place + 1], [inquiry.tokens])
        if self._exact is not None:
            self._exact.add(int(own["exact"]), rows.start)
        self._lsh.add(inquiry.hashes)
        scope.add(rows.start, inquiry.signs, inquiry.measure)
        if self._passages:
            scope.note_passages(asked.prints.rows[place : place + 1])
        if scope.texts:
            self._recall(scope, rows.start, inquiry.case)
        return Answer(
            row=rows.start,
            text=int(own["text"]),
            flags=tuple(inquiry.flags[:_MOST_FLAGS]),
            near=inquiry.near,
            semantic=inquiry.semantic,
        )

    def _inquiry(self, question: Question, asked: AskedTexts, place: int) -> Inquiry:
        scope = self._scope_of(question)
        inquiry = Inquiry(self.file, self._lsh, scope, question, asked, place)
        if self._window is not None:
            oldest = np.uint32(max(0, len(self.file) - self._window))
            inquiry.first = int(np.searchsorted(scope.rows[: scope.length], oldest))
        return inquiry

    def _objection(self, inquiry: Inquiry) -> Answer | None:
        """Why a text is not to be admitted; None when nothing stands against it."""
        own, rules = inquiry.own, inquiry.rules
        try:
            match = self._match(inquiry)
        except PlugInBroken as error:
            return Answer(None, int(own["text"]), broken=error)
        if match is None and rules.once and rules.stages:
            match = self._repeated(own)
        return None if match is None else Answer(None, int(own["text"]), match)

    def _nearest(self, inquiry: Inquiry) -> float:
        """The cosine to the nearest earlier case, for the figures; nan where there is none."""
        scope, measures = inquiry.scope, inquiry.scope.measures
        if measures is None or inquiry.measure is None:
            return inquiry.nearest
        vector = inquiry.own["measure"][: self._measured].astype(np.float32)
        if inquiry.first >= scope.length or not vector.any():
            return float("nan")
        _, scores = scope.closest(measures, inquiry.measure, vector, inquiry.rows["measure"], inquiry.first)
        return float(scores.max(initial=-1.0))

    def _repeated(self, own: Any) -> Match | None:
        """The very same words in another category, or where no stage looks for them."""
        assert self._exact is not None
        row = self._exact.find(int(own["exact"]))
        if row is None or (self._window is not None and row < len(self.file) - self._window):
            return None
        return Match(row, Stage.STRUCTURAL, 1.0, 1.0, "the very same text stands in the dataset already")

    def _match(self, inquiry: Inquiry) -> Match | None:
        if inquiry.first >= inquiry.scope.length:
            return None
        wanted = inquiry.rules.stages
        for name, stage in self._stages:
            if name in wanted:
                if name in COMPARING_STAGES:
                    found = stage.match(name, inquiry)
                else:
                    found = _at_work(name, partial(stage.match, name, inquiry))
                if found is not None and (name in COMPARING_STAGES or not inquiry.is_paired(found.row)):
                    return found
        return None


def _at_work(name: str, work: Callable[[], T]) -> T:
    """What a plug-in's stage answers. Raises ``PlugInBroken`` for whatever it raises."""
    try:
        return work()
    except Exception as error:
        raise STAGES.failed(name, error) from error
