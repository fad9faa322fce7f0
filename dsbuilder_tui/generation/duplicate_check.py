"""All that a session has accepted, as the gate compares with it: one thread beside the event loop, and its files."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.answer import Answer, Match, Partner, Question
from dsbuilder_tui.diversity.compared_text import compared_text, exact_hash, structure_hash
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.fingerprints import Fingerprinter
from dsbuilder_tui.diversity.static_embedding import (
    Embedder,
    Vectors,
    built_in_embedder,
    built_in_name,
    local_embedder,
    unit,
)
from dsbuilder_tui.diversity.thresholds import plug_in_stages, rules_for, window_of
from dsbuilder_tui.domain.case import Slot, case_id
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.case_pair import PairKind
from dsbuilder_tui.domain.flags import COMPARED_BEGINNING, FLAGS
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import CaseLikeness, LedgerRows, RemovedText
from dsbuilder_tui.store.session_store import SessionStore

if TYPE_CHECKING:
    from dsbuilder_tui.generation.remote_vectors import RemoteVectors

T = TypeVar("T")
_PAGE = 500
_INDEXED = 65_536  # rows that are taken into the comparison at once
_EXAMPLE = -1  # the place in the history of what is no case; such rows are not kept in the file
_WORTH_A_WORD = 2000  # cases from which on the work is noticed


@dataclass(frozen=True, slots=True)
class CaseText:
    """A case as far as it is compared with others; ``slot`` says whether it is the partner of one."""

    category: str
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """Stands in the thread for an endpoint, whose vectors have been fetched before."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError(f"{self.name} is asked on the event loop")


class Places:
    """Which case each row of the comparison is, and its place in the history. 14 bytes a row."""

    def __init__(self) -> None:
        self._seqs, self._ordinals, self._categories = array("q"), array("I"), array("H")
        self._names: dict[str, int] = {}

    def note(self, row: int, seq: int, category: str, ordinal: int) -> None:
        for values in (self._seqs, self._ordinals, self._categories):
            if row >= len(values):
                values.extend([0] * (row + 1 - len(values)))
        self._seqs[row], self._ordinals[row] = seq, ordinal
        self._categories[row] = self._names.setdefault(category, len(self._names))

    @classmethod
    def of(cls, past: Past, owners: NDArray[np.int64]) -> Places:
        """Rows 0, 1, 2 … are these texts of the past."""
        places = cls()
        places._names = {name: number for number, name in enumerate(past.names)}
        places._seqs = array("q", past.seqs[owners].tobytes())
        places._ordinals = array("I", past.ordinals[owners].astype(f"u{places._ordinals.itemsize}").tobytes())
        places._categories = array("H", past.categories[owners].astype(np.uint16).tobytes())
        return places

    def seq(self, row: int) -> int | None:
        """The case's place in the history; None for an example of the plan."""
        seq = self._seqs[row]
        return seq if seq > 0 else None

    def case_id(self, row: int) -> str | None:
        """None for an example of the plan."""
        if self._seqs[row] <= 0:
            return None
        return case_id(list(self._names)[self._categories[row]], self._ordinals[row])


class Past:
    """Every text that counts when repeats are looked for, oldest first, in columns."""

    def __init__(self, rows: LedgerRows, plan: DatasetPlanInput) -> None:
        compared = [category.name for category in plan.categories if category.compared]
        kinds = {category.name: category.kind for category in plan.categories}
        self.names = compared
        gone = [text for text in rows.gone if text.category in compared]
        parts = [
            np.array(
                [(text.seq, structure_hash(text.inputs, kinds[text.category]), text.ordinal) for text in gone], np.int64
            ).reshape(-1, 3)
        ]
        categories = [np.array([compared.index(text.category) for text in gone], np.int32)]
        for number, name in enumerate(compared):
            filled = rows.filled.get(name, ())
            values = (value for ordinal, structure, seq in filled for value in (seq, structure or 0, ordinal))
            parts.append(np.fromiter(values, np.int64, 3 * len(filled)).reshape(-1, 3))
            categories.append(np.full(len(filled), number, np.int32))
        table = np.concatenate(parts)
        parts.clear()
        source = np.full(len(table), -1, np.int32)
        source[: len(gone)] = np.arange(len(gone))
        order = np.argsort(table[:, 0], kind="stable")
        self.seqs, self.texts, self.ordinals = table[order].T
        self.categories = np.concatenate(categories)[order]
        self._gone, self._source = gone, source[order]

    def __len__(self) -> int:
        return len(self.seqs)

    def name(self, place: int) -> str:
        return self.names[int(self.categories[place])]

    def gone(self, place: int) -> RemovedText | None:
        """The text itself, when it is not in the dataset any more."""
        source = self._source[place]
        return self._gone[source] if source >= 0 else None

    def owners(self, seqs: NDArray[np.int64], texts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which text each pair (seq, structural hash) belongs to, -1 for none; each text is found once."""
        keys = _mixed(self.seqs, self.texts)
        order = np.argsort(keys, kind="stable")
        at = np.minimum(np.searchsorted(keys[order], wanted := _mixed(seqs, texts)), max(0, len(keys) - 1))
        found = np.full(len(seqs), -1, np.int64)
        if len(keys):
            match = keys[order][at] == wanted
            found[match] = order[at[match]]
            _, first = np.unique(found, return_index=True)
            again = np.ones(len(found), bool)
            again[first] = False
            found[again] = -1
        return found


def _index(comparer: Comparer, names: Sequence[str], categories: NDArray[np.uint16]) -> None:
    """Take the rows of its file into the comparison; ``categories`` are the places of theirs among the names."""
    comparer.expect(len(categories) + _INDEXED // 16)
    for first in range(0, len(categories), _INDEXED):
        some = categories[first : first + _INDEXED].tolist()
        comparer.index(np.arange(first, first + len(some)), [names[number] for number in some])


def _partner(slot: Slot | None, kind: CaseKind) -> Partner | None:
    if slot is None or slot.pair is None or slot.original is None:
        return None
    return Partner(exact_hash(compared_text(slot.original.inputs, kind)), reworded=slot.pair.relation is PairKind.SAME)


def _mixed(seqs: NDArray[np.int64], texts: NDArray[np.int64]) -> NDArray[np.uint64]:
    return texts.astype(np.uint64) ^ (seqs.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


class DuplicateCheck:
    """Judges texts against the accepted history of a session. Rows of the comparison are numbered as they are admitted.

    Every method is called on the event loop; the work is done in a thread, in the order of the calls. ``load`` first.
    """

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``tell`` gets a sentence when something takes its time: many fingerprints to make, an endpoint to ask again."""
        self._tell = tell
        self._plan, self._config, self._store = plan, config, store
        self._kinds = {category.name: category.kind for category in plan.categories}
        self._rules = {category.name: replace(rules_for(config, category), once=True) for category in plan.categories}
        if not config.enable_diversity_check:
            self._rules = {name: replace(rules, stages=frozenset()) for name, rules in self._rules.items()}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="likeness")
        self._comparer: Comparer | None = None
        self._remote: RemoteVectors | None = None
        self._given_up = asyncio.Event()
        self.places = Places()
        self._named: list[tuple[int, int]] = []  # rows whose place in the history the file does not know yet
        self._acts: set[asyncio.Future[None]] = set()

    async def load(self, rows: LedgerRows, *, index: bool = True) -> None:
        """Take over the accepted history: from the file of fingerprints, and what it lacks from the cases.

        Without ``index`` the file is only made complete, and nothing can be judged.
        Raises ``StorageError``, ``ConfigError``, ``EndpointRefused``, ``EndpointUnavailable``, or ``PlugInBroken`` when a
        plug-in's stage cannot be loaded or fails.
        """
        embedder = await self._embedder()
        window = window_of(self._config)
        folder, across = self._store.folder, self._config.diversity_across
        plug_ins = plug_in_stages(self._rules.values())

        def begin() -> tuple[Past, Comparer, NDArray[np.int64], NDArray[np.int64]]:
            measure = None if embedder is not None and embedder.name == built_in_name() else built_in_embedder()
            past, maker = Past(rows, self._plan), Fingerprinter(embedder, measure)
            file = FingerprintFile.open(folder, maker.row_type, maker.versions)
            owners = past.owners(file.rows["seq"], file.rows["text"])
            held = np.flatnonzero(owners >= 0)
            file.keep(held)
            missing = np.ones(len(past), bool)
            missing[owners[held]] = False
            comparer = Comparer(
                embedder, file, window=window, across=across, plug_ins=plug_ins, measure=measure, passages=True
            )
            return past, comparer, owners[held], np.flatnonzero(missing)

        past, comparer, owners, missing = await self._in_thread(begin)
        self._comparer = comparer
        if len(missing) >= _WORTH_A_WORD:
            self._tell(f"Reading {len(missing):,} accepted cases, to know what repeats them; this is done once.")
        pages = [await self._make(past, missing[n : n + _PAGE].tolist()) for n in range(0, len(missing), _PAGE)]
        if not index:
            return
        whose = np.concatenate([owners, *pages])
        self.places = await self._in_thread(partial(Places.of, past, whose))
        names, categories = past.names, past.categories[whose].astype(np.uint16)
        to_recall = (past, whose) if comparer.needs_texts else None
        del (
            past,
            whose,
            owners,
            pages,
            missing,
        )  # while the index grows, which takes the most memory, nothing else is held
        await self._in_thread(partial(_index, comparer, names, categories))
        if to_recall is not None:
            past, whose = to_recall
            for first in range(0, len(whose), _PAGE):
                await self._recall(past, first, whose[first : first + _PAGE].tolist())
        await self._take_examples()

    async def judge(self, groups: Sequence[Sequence[CaseText]]) -> list[list[Answer]]:
        """Of each group the first text that is new is admitted; answers up to and including it. In order.

        Whoever gets a row says with ``name`` which case it is. Raises what ``load`` raises.
        """
        vectors, beginnings = await self._embedded([text for group in groups for text in group])

        def judge(comparer: Comparer) -> list[list[Answer]]:
            return comparer.judge_groups([[self._question(text) for text in group] for group in groups], vectors)

        answers = await self._compare(judge)
        if not any(beginnings):
            return answers
        of_text = iter(beginnings)
        of_group = [[next(of_text) for _ in group] for group in groups]
        return [
            [replace(answer, beginning=beginning) for answer, beginning in zip(some, group, strict=False)]
            for some, group in zip(answers, of_group, strict=True)
        ]

    async def ask(self, texts: Sequence[CaseText]) -> list[Answer]:
        """What stands against each text so far; nothing is admitted. Raises what ``load`` raises."""
        vectors = await self._vectors(texts)
        questions = [self._question(text) for text in texts]
        return await self._compare(lambda comparer: comparer.ask(questions, vectors))

    def name(self, row: int, seq: int, category: str, ordinal: int) -> None:
        """Say which case a row is, and its place in the history."""
        self.places.note(row, seq, category, ordinal)
        self._named.append((row, seq))

    def reason(self, match: Match) -> str:
        """Why a text was turned away."""
        of_plan = self.places.seq(match.row) is None
        return f"it repeats an example of the plan: {match.reason}" if of_plan else match.reason

    def tags(self, answer: Answer) -> dict[str, Any]:
        """What the tags of an admitted case say of those that it was compared with."""
        flags = [
            {
                "kind": flag.kind, "case_id": self.places.case_id(flag.row), "stage": flag.stage,
                "score": round(flag.score, 4), "differs": list(flag.differs),
            }
            for flag in answer.flags
            if self.places.seq(flag.row) is not None
        ]  # fmt: skip
        found: dict[str, Any] = {FLAGS: flags} if flags else {}
        return found if answer.beginning is None else {**found, COMPARED_BEGINNING: answer.beginning}

    def likeness(self, answer: Answer, seq: int) -> CaseLikeness:
        """How like an admitted case is to those before it; ``seq`` is its place in the history."""
        near, semantic = (
            (None, None) if score is None else (score.value, self.places.seq(score.row))
            for score in (answer.near, answer.semantic)
        )
        return CaseLikeness(seq, *near, *semantic)

    def remember(self, text: CaseText, seq: int, ordinal: int) -> None:
        """A person let this in: it counts for what is judged from now on."""

        async def act() -> None:
            vectors = await self._vectors([text])
            rows = await self._compare(lambda comparer: comparer.admit([self._question(text)], vectors))
            self.name(rows.start, seq, text.category, ordinal)

        task = asyncio.ensure_future(act())
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    def give_up(self) -> None:
        """Wait no longer for vectors: whoever does is told ``VectorsGivenUp``."""
        self._given_up.set()

    async def close(self) -> None:
        """Write down what is known, and let go of the files and the thread."""
        # What failed here is missing from the file, and made again from the case the next time.
        await asyncio.gather(*self._acts, return_exceptions=True)
        if self._comparer is not None:
            comparer = self._comparer
            await self._compare(lambda comparer: None)
            await self._in_thread(comparer.file.close)
        if self._remote is not None:
            await self._remote.close()
        self._thread.shutdown(wait=False)

    async def _take_examples(self) -> None:
        """What the plan gives as an example is taken: a worker that hands it in as a case of its own has written none."""
        texts = [
            CaseText(category.name, example, category.expectations)
            for category in self._plan.categories
            if self._rules[category.name].stages
            for example in self._plan.examples(category)
        ]
        if not texts:
            return
        vectors = await self._vectors(texts)
        questions = [self._question(text) for text in texts]
        rows = await self._compare(lambda comparer: comparer.take_examples(questions, vectors))
        for row, text in zip(rows, texts, strict=True):
            self.name(row, _EXAMPLE, text.category, 0)

    async def _make(self, past: Past, places: Sequence[int]) -> NDArray[np.int64]:
        """Fingerprints of texts that the file does not have. Returns whose they are: damaged cases have none."""
        found = await self._texts(past, places)
        vectors = await self._vectors([text for _, text in found])

        def make(comparer: Comparer) -> list[tuple[int, int]]:
            rows = comparer.remember([self._question(text) for _, text in found], vectors)
            prints = comparer.file.rows[rows.start : rows.stop]
            prints["seq"] = [past.seqs[place] for place, _ in found]
            return [
                (structure, int(past.seqs[place]))
                for structure, (place, _) in zip(prints["text"].tolist(), found, strict=True)
                if past.gone(place) is None and past.texts[place] != structure
            ]

        changed = await self._compare(make)
        if changed:
            await self._store.cases.set_structures(changed)
        return np.array([place for place, _ in found], np.int64)

    async def _texts(self, past: Past, places: Sequence[int]) -> list[tuple[int, CaseText]]:
        """What stands at these places of the past; damaged cases are left out."""
        stored = await self._store.cases.by_seq_or_withdrawn(
            [int(past.seqs[place]) for place in places if past.gone(place) is None]
        )
        return [
            (place, CaseText(past.name(place), source.inputs, source.expectations))
            for place in places
            if (source := past.gone(place) or stored.get(int(past.seqs[place]))) is not None
        ]

    async def _recall(self, past: Past, first: int, places: Sequence[int]) -> None:
        """Tell stages that go by texts what rows ``first``, ``first`` + 1 … say, which stand at these places."""
        row_of = {place: first + offset for offset, place in enumerate(places)}
        found = await self._texts(past, places)
        rows, questions = [row_of[place] for place, _ in found], [self._question(text) for _, text in found]
        await self._compare(lambda comparer: comparer.recall(rows, questions))

    def _question(self, text: CaseText) -> Question:
        rules, kind = self._rules[text.category], self._kinds[text.category]
        partner = _partner(text.slot, kind)
        return Question(text.category, self._compared(text), text.expectations, rules, partner)

    def _compared(self, text: CaseText) -> str:
        return compared_text(text.inputs, self._kinds[text.category])

    async def _vectors(self, texts: Sequence[CaseText]) -> Vectors | None:
        """The vectors of an endpoint; None when the thread makes them itself."""
        return (await self._embedded(texts))[0]

    async def _embedded(self, texts: Sequence[CaseText]) -> tuple[Vectors | None, list[int | None]]:
        """The vectors of an endpoint, and of how many characters each is, None for the whole text."""
        remote = self._remote
        if remote is None or not texts:
            return None, []
        masked = await self._compare(lambda c: c.masked([self._question(text) for text in texts]))
        vectors = unit(np.asarray(await remote.embed(masked), np.float32))
        return vectors, [remote.beginning(text) for text in masked]

    async def _embedder(self) -> Embedder | None:
        if Stage.SEMANTIC not in self._config.diversity_stages and all(
            Stage.SEMANTIC not in r.stages for r in self._rules.values()
        ):
            return None
        local = await self._in_thread(lambda: local_embedder(self._config.embedding_model))
        if local is not None:
            return local
        from dsbuilder_tui.generation.remote_vectors import RemoteVectors

        self._remote = RemoteVectors(self._config, self._tell, self._given_up)
        return _Elsewhere(self._remote.name, await self._remote.dimensions())

    async def _compare(self, work: Callable[[Comparer], T]) -> T:
        comparer, named = self._comparer, self._named
        assert comparer is not None
        self._named = []

        def job() -> T:
            if named:
                seqs = comparer.file.rows["seq"]
                for row, seq in named:
                    seqs[row] = seq
            return work(comparer)

        return await self._in_thread(job)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
