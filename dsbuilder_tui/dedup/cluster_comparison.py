"""The comparison of a pass on a cluster, with the answers that this machine alone would give.

What no other row decides is made by the nodes: fingerprints, and for each row those of the rows kept before its piece that have
words in common with it, or are nearest to it. The order decides the rest, so this process does it, with the code of a pass on
one machine: it counts the words in common, takes in what is new, and holds each row against those of the last pieces, which the
nodes do not know yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.clusters.ray_cluster import cluster_gone
from dsbuilder_tui.dedup.cluster_calls import CPU, ClusterLost, live_nodes, wait_for
from dsbuilder_tui.dedup.cluster_partitions import ClusterPartitions
from dsbuilder_tui.dedup.comparison import Batch, RowQuestions, batches_of, likeness_of
from dsbuilder_tui.dedup.embedders import Embedders
from dsbuilder_tui.dedup.index_partition import FoundRows, IncompletePartition
from dsbuilder_tui.dedup.piece_prints import OtherVersion, PiecePrints, piece_prints
from dsbuilder_tui.dedup.report import ClusterFigures, Likeness
from dsbuilder_tui.dedup.work_folder import Begun, JudgedPiece, WorkFolder
from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.fingerprints import Fingerprinter, hashes_of
from dsbuilder_tui.diversity.static_embedding import Embedder, Vectors
from dsbuilder_tui.diversity.thresholds import Rules, plug_in_stages, static_model, window_of
from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError, InputError
from dsbuilder_tui.domain.plain_words import counted, were
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row

_PIECE, _LARGEST = 1024, 2**23  # lines of a piece, and bytes
_ASKED = 2  # pieces that the nodes hold against what was kept at once
_LEAST_AHEAD, _MOST_AHEAD = 4, 32  # pieces whose fingerprints are being made
_TRIES = 5  # of a piece whose nodes are lost one after another


@dataclass(slots=True)
class _Piece:
    """A piece on its way: on nodes its fingerprints are ``made``, in a thread of this process they are in ``making``.

    ``asked`` brings the ``FoundRows`` of those before ``until``, once somebody looks for them.
    """

    batch: Batch
    questions: list[Question]
    scopes: NDArray[np.int64]
    made: Any = None
    making: Future[tuple[Any, Any, Any]] | None = None
    asked: Any = None
    until: int = 0

    @property
    def references(self) -> tuple[Any, Any, Any]:
        """To its fingerprints, to the hashes by which they are looked up, and to its vectors."""
        prints, hashes, vectors = self.made if self.making is None else self.making.result()
        return prints, hashes, vectors


class ClusterComparison:
    """As ``Comparison``, on the cluster that this process is connected with.

    With ``work`` another run goes on where this one ended. ``tell`` gets a sentence when it does, or cannot, and when an
    endpoint for embeddings must be asked again: that is done from this machine, as its key does not leave it.
    Raises ``ClusterLost``, ``InputError`` where a node has other versions, ``ConfigError``, ``StorageError`` and what an
    endpoint for embeddings raises.
    """

    figures: ClusterFigures | None = None

    def __init__(
        self, config: DatasetBuilderConfig, rules: Rules, work: WorkFolder | None, tell: Callable[[str], None]
    ) -> None:
        self._config, self._rules, self._work, self._tell = config, rules, work, tell
        self._questions = RowQuestions(config, rules)
        self._embedders = Embedders(config, tell)
        self._thread = ThreadPoolExecutor(1, "dsbuilder-embed")  # that asks the endpoint, where there is one
        self._model: str | None = None  # a static one, which every node has
        self._asks_endpoint = Stage.SEMANTIC in rules.stages and not static_model(config.embedding_model)
        self._pieces: deque[_Piece] = deque()
        self._file: FingerprintFile | None = None
        self._partitions: ClusterPartitions | None = None
        self._known: list[Answer] | None = None  # the answers to the piece that is submitted next
        self._count = self._nodes = 0
        self._cpu_seconds = 0.0
        self.ahead = _LEAST_AHEAD

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._thread:
            self._embedders.stop()
            self._thread.submit(self._embedders.close).result()
        self._pieces.clear()
        memory = 0
        if self._partitions is not None:
            cpu_seconds, memory = self._partitions.close(wanted=kind is None)
            self._cpu_seconds += cpu_seconds
        resumed = self._work.rows if self._work is not None else 0
        self.figures = ClusterFigures(self._nodes, self._count, resumed, self._cpu_seconds, memory)
        if self._file is not None:
            self._file.close()
        if self._work is not None:
            self._work.close()

    def _open(self) -> None:
        import ray

        nodes = live_nodes()
        self._nodes = len(nodes)
        processors = int(sum(resources.get(CPU, 0) for resources in nodes.values()))
        self.ahead = min(max(_LEAST_AHEAD, 2 * processors), _MOST_AHEAD)
        embedder = self._embedder()
        fingerprinter = Fingerprinter(embedder)
        self._versions = fingerprinter.versions
        if self._work is None:
            self._file = FingerprintFile(fingerprinter.row_type)
        else:
            self._file = self._work.open(fingerprinter.row_type, self._versions)
            self._say_how_it_begins(self._work)
        window = window_of(self._config)
        self._comparer = Comparer(
            embedder, self._file, window=window, across=self._config.diversity_across,
            plug_ins=plug_in_stages([self._rules]), recent=True, once=self._rules.once,
        )  # fmt: skip
        self._make_prints = ray.remote(piece_prints).options(
            num_cpus=1, num_returns=3, max_retries=-1, scheduling_strategy="SPREAD"
        )
        self._has_vectors = embedder is not None and window is None  # with a window there are few to look through, here
        self._partitions = ClusterPartitions(
            self._comparer, embedder.dimensions if embedder is not None and self._has_vectors else 0
        )

    def _embedder(self) -> Embedder | None:
        if Stage.SEMANTIC not in self._rules.stages:
            return None
        if self._asks_endpoint:
            return self._thread.submit(self._embedders.make).result()
        name = self._config.embedding_model
        self._model = name if name == "static" else str(Path(name).expanduser().absolute())
        return self._embedders.make()

    def _say_how_it_begins(self, work: WorkFolder) -> None:
        match work.begun:
            case Begun.RESUMED:
                self._tell(f"{counted(work.rows, 'row')} {were(work.rows)} compared before; it goes on behind them.")
            case Begun.OTHER_SOURCE:
                self._tell(f"The file is another one, or has changed, since {work.path} was made: it begins anew.")
            case Begun.OTHER_SETTINGS:
                self._tell(f"Settings or versions have changed since {work.path} was made: it begins anew.")
            case Begun.NEW:
                pass

    def batches(self, items: Iterable[Row | BadLine]) -> Iterator[Batch]:
        items = iter(items)
        for piece in self._work.judged() if self._work is not None else ():
            batch = list(islice(items, piece.items))
            self._take_over(piece, batch)
            yield batch
        yield from batches_of(items, _PIECE, _LARGEST)

    def submit(self, batch: Batch) -> Callable[[], list[Answer]]:
        self._count += 1
        if self._known is not None:
            known, self._known = self._known, None
            return lambda: known
        with _connected():
            piece = self._begun(batch)
            self._pieces.append(piece)
            self._ask()
        return lambda: self._answers(piece)

    def likeness(self) -> Likeness:
        return likeness_of(self._comparer)

    def _take_over(self, judged: JudgedPiece, batch: Batch) -> None:
        """Know what an earlier run has let in of a piece, and have its answers ready."""
        questions = self._questions.of(batch)
        admitted = [
            (answer.row, question)
            for answer, question in zip(judged.answers, questions, strict=True)
            if answer.row is not None
        ]
        rows = np.array([row for row, _ in admitted], np.int64)
        self._comparer.index(rows, [question.category for _, question in admitted])
        self._comparer.recall(rows.tolist(), [question for _, question in admitted])
        if self._has_vectors:
            self._comparer.forget_signs(questions)
        self._of_cluster.note(rows)
        self._known = judged.answers

    def _begun(self, batch: Batch) -> _Piece:
        """A piece whose fingerprints are being made."""
        questions = self._questions.of(batch)
        self._of_cluster.open()
        piece = _Piece(batch=batch, questions=questions, scopes=self._comparer.scope_numbers(questions))
        self._make(piece)
        return piece

    def _make(self, piece: _Piece) -> None:
        texts = [question.text for question in piece.questions]
        expectations = [question.expectations for question in piece.questions]
        if self._asks_endpoint:
            piece.making = self._thread.submit(self._make_here, texts, expectations)
        else:
            piece.made = self._make_prints.remote(self._model, self._versions, texts, expectations)

    def _make_here(self, texts: Sequence[str], expectations: Sequence[Mapping[str, Any]]) -> tuple[Any, Any, Any]:
        """In the thread of the endpoint: references to the fingerprints of texts, their hashes and their vectors."""
        import ray

        prints = self._comparer.fingerprinter.prints(texts, expectations)
        return ray.put(PiecePrints.of(prints, 0.0)), ray.put(hashes_of(prints.rows)), ray.put(prints.vectors)

    @property
    def _of_cluster(self) -> ClusterPartitions:
        assert self._partitions is not None, "it is open"
        return self._partitions

    def _ask(self) -> None:
        """Have what has been kept so far looked through, for the pieces that come next."""
        for piece in islice(self._pieces, _ASKED):
            if piece.asked is None:
                _, hashes, vectors = piece.references
                piece.asked, piece.until = self._of_cluster.ask(hashes, vectors, piece.scopes), len(self._comparer)

    def _answers(self, piece: _Piece) -> list[Answer]:
        assert self._pieces[0] is piece, "pieces are judged in order"
        with _connected():
            prints, vectors, found = self._fetched(piece)
        first = len(self._comparer)
        self._cpu_seconds += prints.cpu_seconds
        batch = prints.batch(vectors, first + 1)
        answers = self._comparer.judge_prints(piece.questions, batch, found.sharing, found.nearest, piece.until)
        if any(answer.broken is not None for answer in answers):
            return answers  # the pass ends there
        kept = len(self._comparer)
        if self._work is not None:
            self._work.note(len(piece.batch), answers, kept)
        self._pieces.popleft()
        places = np.flatnonzero([answer.row is not None for answer in answers])
        with _connected():
            _, hashes, told = piece.references
            self._of_cluster.add(hashes, told, places, np.arange(first, kept), piece.scopes[places])
            self._ask()
        return answers

    def _fetched(self, piece: _Piece) -> tuple[PiecePrints, Vectors, FoundRows]:
        """What the nodes have found out about a piece. What is lost with a node is made again."""
        import ray

        for _ in range(_TRIES):
            try:
                made, _, vectors = piece.references
                return wait_for(made), wait_for(vectors), wait_for(piece.asked)
            except ray.exceptions.RayTaskError as error:
                _raise_ours(error)
                trouble: Exception = error
            except ray.exceptions.RayError as error:
                trouble = error
            self._make_again(piece)
        raise ClusterLost(
            f"The cluster keeps losing a piece of the work ({type(trouble).__name__}).",
            "Look at the nodes, then run it again.",
        ) from None

    def _make_again(self, piece: _Piece) -> None:
        """The fingerprints of a piece, and what is looked for of this and the following ones."""
        live_nodes()  # where nobody answers any more, nothing is to be made
        self._make(piece)
        self._of_cluster.mend()
        for each in self._pieces:
            each.asked = None
        self._ask()


@contextmanager
def _connected() -> Iterator[None]:
    """A block that speaks with the cluster, and with no file: what the system says against it is the end of the connection."""
    try:
        yield
    except OSError as error:
        raise cluster_gone(error) from error


def _raise_ours(error: Any) -> None:
    """Raise what a node says that a person has to know, and what would only come again."""
    import ray

    cause = error.cause
    while isinstance(cause, ray.exceptions.RayTaskError):
        cause = cause.cause
    if isinstance(cause, OtherVersion):
        raise InputError(
            "A node of the cluster has another version of dsbuilder, or of its embedding model, than this machine.",
            "Install the same on all nodes.",
        ) from None
    if isinstance(cause, DsbuilderError):
        raise ConfigError(f"On a node of the cluster: {cause.problem}", cause.hint) from None
    if not isinstance(cause, IncompletePartition | ray.exceptions.RayError | OSError):
        raise error
