"""The comparison of a pass on this machine: on one thread of its own, while another reads ahead and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from dsbuilder_tui.dedup.comparison import Batch, RowQuestions, batches_of, likeness_of
from dsbuilder_tui.dedup.embedders import Embedders
from dsbuilder_tui.dedup.report import ClusterFigures, Likeness
from dsbuilder_tui.diversity.answer import Answer
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.thresholds import Rules, plug_in_stages, window_of
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row

_BATCH = 256  # lines


class LocalComparison:
    """As ``Comparison``. ``tell`` gets a sentence, from the other thread, when an endpoint must be asked again.

    Entering raises ``ConfigError``, ``EndpointRefused`` or ``EndpointUnavailable``.
    """

    ahead = 2
    figures: ClusterFigures | None = None

    def __init__(self, config: DatasetBuilderConfig, rules: Rules, tell: Callable[[str], None]) -> None:
        self._config, self._rules = config, rules
        self._questions = RowQuestions(config, rules)
        self._embedders = Embedders(config, tell)
        self._worker = ThreadPoolExecutor(1, "dsbuilder-compare")
        self._waiting: list[Future[list[Answer]]] = []
        self._comparer: Comparer | None = None

    def __enter__(self) -> Self:
        try:
            self._comparer = self._worker.submit(self._made).result()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._worker:
            for answers in self._waiting:
                answers.cancel()
            self._embedders.stop()
            self._worker.submit(self._let_go).result()

    def batches(self, items: Iterable[Row | BadLine]) -> Iterator[Batch]:
        return batches_of(items, _BATCH)

    def submit(self, batch: Batch) -> Callable[[], list[Answer]]:
        answers = self._worker.submit(self._judge, batch)
        self._waiting = [*(one for one in self._waiting if not one.done()), answers]
        return answers.result

    def likeness(self) -> Likeness:
        assert self._comparer is not None
        return self._worker.submit(likeness_of, self._comparer).result()

    def _made(self) -> Comparer:
        embedder = self._embedders.make() if Stage.SEMANTIC in self._rules.stages else None
        return Comparer(
            embedder, window=window_of(self._config), across=self._config.diversity_across,
            plug_ins=plug_in_stages([self._rules]), once=self._rules.once,
        )  # fmt: skip

    def _judge(self, batch: Batch) -> list[Answer]:
        assert self._comparer is not None
        return self._comparer.judge(self._questions.of(batch))

    def _let_go(self) -> None:
        self._embedders.close()
        if self._comparer is not None:
            self._comparer.file.close()
