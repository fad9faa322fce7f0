"""One text held against one scope: what is known of both, for the stages to look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.answer import Flag, Question, Score
from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.fingerprints import FingerprintBatch, hashes_of
from dsbuilder_tui.diversity.lsh_index import LshIndex, RecentLshIndex
from dsbuilder_tui.diversity.nearest import NOBODY, NearestRows
from dsbuilder_tui.diversity.scope import Members, Scope, cosines, salted
from dsbuilder_tui.diversity.sharing_rows import SharingTexts
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex
from dsbuilder_tui.diversity.static_embedding import Vectors
from dsbuilder_tui.diversity.text_index import ComparedCase
from dsbuilder_tui.diversity.traits import differing

PASSAGE = "passage"  # what differs where two cases leave out different parts
SUBJECT = "subject"  # what differs where `Inquiry.is_elsewhere`
_SAME_SUBJECT = 0.85  # cosine of two texts with most words in common, below which the others change what they are about
MOST_SHARED = 256  # hashes in common with other texts that are looked at, the newest of each column


@dataclass(frozen=True, slots=True)
class AskedTexts:
    """The fingerprints of some texts that are judged one after another, and by what each is looked up.

    ``signs`` and ``measures`` are those of the two vectors, (n, words). ``sharing`` are the rows before ``until`` that share
    hashes with each text, and ``nearest`` the nearest of its scope, where somebody else has looked for them.
    """

    prints: FingerprintBatch
    hashes: NDArray[np.uint32]
    signs: NDArray[np.uint64] | None
    measures: NDArray[np.uint64] | None
    sharing: SharingTexts | None = None
    nearest: NearestRows | None = None
    until: int = 0

    @classmethod
    def of(
        cls,
        prints: FingerprintBatch,
        dimensions: int,
        measured: int = 0,
        sharing: SharingTexts | None = None,
        nearest: NearestRows | None = None,
        until: int = 0,
    ) -> AskedTexts:
        """Both numbers are lengths of vectors; 0 where there is none."""
        # Of the vectors as they are stored: what is read from the file later must have the same.
        vectors, measures = prints.rows["vector"][:, :dimensions], prints.rows["measure"][:, :measured]
        return cls(
            prints, hashes_of(prints.rows), SignIndex.signs(vectors) if dimensions else None,
            SignIndex.signs(measures) if measured else None, sharing, nearest, until,
        )  # fmt: skip


class Inquiry:
    """One question held against one scope.

    Attributes:
        file, rows: the fingerprints of all cases; ``rows`` as they were when the question was asked.
        scope: the cases that are compared with.
        first: the member of the scope from which on they count.
        rules: which stages look, and from which score a case is a repeat.
        own, tokens, vector: the fingerprints of the text that is judged.
        hashes, signs, measure: by what it is looked up, a row each.
        flags, near, semantic, nearest: what stages have found on the way, for the answer.
    """

    def __init__(
        self,
        file: FingerprintFile,
        lsh: LshIndex | RecentLshIndex,
        scope: Scope,
        question: Question,
        asked: AskedTexts,
        place: int,
    ) -> None:
        """``lsh`` has the rows of all scopes, or those from ``until`` on.

        ``place`` is that of the question's text among those that are ``asked``.
        """
        prints = asked.prints
        self.file, self.scope, self.rules, self._question = file, scope, question.rules, question
        self._lsh = lsh
        self.rows = file.rows  # once: each time that it is asked for, the file is looked at
        self.own, self.tokens, self.vector = prints.rows[place], prints.tokens[place], prints.vectors[place]
        self.hashes = salted(asked.hashes[place : place + 1], np.array([scope.number]))[0]
        self.signs = None if asked.signs is None else asked.signs[place : place + 1]
        self.measure = None if asked.measures is None else asked.measures[place : place + 1]
        self.first = 0
        self._asked, self._place = asked, place
        self._shared: Members | None = None
        self.flags: list[Flag] = []
        self.near: Score | None = None
        self.semantic: Score | None = None
        self.nearest = float("nan")

    @cached_property
    def case(self) -> ComparedCase:
        """The text that is judged, for stages that go by texts."""
        return ComparedCase.of(self._question.text, self._question.expectations)

    @property
    def shared(self) -> Members:
        """Rows that share a band of the signature or the whole text."""
        if self._shared is None:  # not a cached_property: that takes a lock
            found = self._lsh.sharing(self.hashes, MOST_SHARED, self._asked.until)
            if self._asked.sharing is not None:
                found = found.before(self._asked.sharing.of(self._place), MOST_SHARED)
            self._shared = self.scope.members(found.rows, self.first)
        return self._shared

    def closest(self, index: SignIndex) -> tuple[Members, Vectors]:
        """The rows of the scope whose vectors are nearest to the text's, by their signs, and their cosines.

        ``index`` has the signs of the scope's vectors.
        """
        assert self.signs is not None
        known, place, stored = self._asked.nearest, self._place, self.rows["vector"]
        if known is None:
            return self.scope.closest(index, self.signs, self.vector, stored, self.first)
        newest, apart = self.scope.newest(self.signs, self._asked.until)
        there = int(np.count_nonzero(known.apart[place] != NOBODY))  # they stand in front
        rows = np.concatenate([known.rows[place][:there].astype(np.int64), newest])
        order = np.lexsort((rows, np.concatenate([known.apart[place][:there], apart])))[:MOST]
        rows, is_new = rows[order], order >= there
        scores = np.empty(len(rows), np.float32)
        scores[~is_new] = known.scores[place][order[~is_new]]
        scores[is_new] = cosines(stored[rows[is_new]], self.vector)
        return rows, scores

    def counts(self, row: int) -> bool:
        """Whether a case of this row is there and counts: it is in the scope, and in the window when there is one."""
        return len(self.scope.members(np.array([row]), self.first)) == 1

    @property
    def has_partner(self) -> bool:
        """Whether the text that is judged is the partner of a case."""
        return self._question.partner is not None

    def is_paired(self, row: int) -> bool:
        """Whether the text that is judged is the partner of this case: it may be like it, as long as it is another text."""
        partner = self._question.partner
        if partner is None or int(self.own["exact"]) == partner.exact:
            return False
        return int(self.file.rows["exact"][row]) == partner.exact

    def is_contrasted(self, row: int) -> bool:
        """Whether the text that is judged may be this case's but for ids, amounts and other detail."""
        partner = self._question.partner
        return partner is not None and not partner.reworded and self.is_paired(row)

    def differs(self, row: int) -> tuple[str, ...]:
        """The traits in which a case differs from the text that is judged, and ``expectations``: they speak for keeping both."""
        theirs = self.rows[row]
        differs = differing(self.own["traits"].tolist(), theirs["traits"].tolist())
        if self.own["left_out"] != theirs["left_out"] and self.own["left_out"] and theirs["left_out"]:
            differs = (*differs, PASSAGE)  # the same question about another document
        return differs if self.own["expected"] == theirs["expected"] else (*differs, "expectations")

    def is_elsewhere(self, row: int) -> bool:
        """Whether the few words in which a case differs from the text that is judged weigh so much that the two are about
        something else: "change my address", "change my PIN". Without vectors nobody can tell."""
        column, length = ("measure", self.scope.measured) if self.scope.measured else ("vector", self.scope.dimensions)
        if not length:
            return False
        own, theirs = self.own[column][:length].astype(np.float32), self.rows[row][column][:length].astype(np.float32)
        if not own.any() or not theirs.any():
            return False
        return float(np.einsum("i,i->", own, theirs)) < _SAME_SUBJECT

    def flag(self, kind: str, row: int, stage: str, score: float, differs: tuple[str, ...] = ()) -> None:
        """Note what is worth knowing about the case when it is let in; each other case is named once."""
        if all(flag.row != row for flag in self.flags):
            self.flags.append(Flag(kind, row, stage, score, differs))
