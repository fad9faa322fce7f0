"""One pass over a dataset: read, compare, write; the order of the file decides, the first that came stays."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from dsbuilder_tui.dedup.comparison import Batch, Comparison
from dsbuilder_tui.dedup.local_comparison import LocalComparison
from dsbuilder_tui.dedup.memory import peak_memory
from dsbuilder_tui.dedup.outputs import DROPPED, FLAGGED, KEPT, Outputs
from dsbuilder_tui.dedup.report import SHOWN, DedupReport, Likeness, Pair
from dsbuilder_tui.dedup.work_folder import WorkFolder
from dsbuilder_tui.diversity.answer import Answer
from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.diversity.exact_index import ExactIndex
from dsbuilder_tui.diversity.thresholds import Rules, rules_for, window_of
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.settings.runner_names import LOCAL
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is. ``share`` (0 to 1) is None for a pipe; ``seconds`` since the beginning."""

    rows: int
    dropped: int
    bad: int
    share: float | None
    seconds: float


def deduplicate(
    source: str | Path,
    *,
    fields: Sequence[str] = (),
    out: str | Path | None = None,
    dropped: str | Path | None = None,
    flagged: str | Path | None = None,
    category_field: str | None = None,
    expectations_field: str | None = None,
    keep_bad: bool = False,
    config: DatasetBuilderConfig | None = None,
    work_folder: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> DedupReport:
    """Compare every row of a dataset file with those before it, as the gate does, and say what repeats.

    ``source`` holds JSON lines (or is a JSON array, or a ``*_checkpoint.json``), may be packed with gzip, and may be ``-`` for
    standard input. What is compared is a record's ``inputs``, or the ``fields``: dotted paths such as ``messages.0.content``.
    Rows of one category (``category_field``; else ``tags.category``, ``category``, or all in one) are compared with each other.
    ``out`` takes the kept lines as they are, ``dropped`` the others with reason and match, ``flagged`` kept rows that contradict
    or resemble an earlier one. ``config`` has stages, thresholds and scope, and with ``runner`` whether a cluster helps: the
    result is the same. There a run that was ended by force is gone on with from its ``work_folder`` (beside ``out`` unless
    named; of a file that can be read again). ``progress`` is called after every batch, ``tell`` (from another thread) with a
    sentence when an endpoint for embeddings must be asked again, or when it goes on or begins anew.

    Blocks until it is done; in a coroutine use ``asyncio.to_thread``. Raises ``InputError`` for what cannot be read or
    compared, ``ConfigError`` for an embedding model that cannot be used, ``StorageError`` when a file cannot be written;
    no file is then written, nor when it is interrupted.
    """
    config = config or DatasetBuilderConfig()
    choice = FieldChoice(tuple(fields), category_field, expectations_field)
    outputs = Outputs(source, {KEPT: out, DROPPED: dropped, FLAGGED: flagged})
    rules = rules_for(config)
    if config.runner == LOCAL:
        if work_folder is not None:
            raise InputError("A work folder is of a pass on a cluster.", "Leave it out, or choose a runner.")
        with Source(source, choice) as rows, outputs:
            local = LocalComparison(config, rules, tell)
            return _Run(rows, outputs, config, rules, local, keep_bad, progress).go()
    from dsbuilder_tui.dedup.cluster_comparison import ClusterComparison
    from dsbuilder_tui.dedup.joined_cluster import joined_cluster

    with joined_cluster(config), Source(source, choice) as rows:
        work = _work_folder(work_folder, rows, outputs, config, rules, choice)
        comparison = ClusterComparison(config, rules, work, tell)
        with outputs:
            report = _Run(rows, outputs, config, rules, comparison, keep_bad, progress).go()
        if work is not None:
            work.remove()
        return report


def _work_folder(
    named: str | Path | None,
    source: Source,
    outputs: Outputs,
    config: DatasetBuilderConfig,
    rules: Rules,
    choice: FieldChoice,
) -> WorkFolder | None:
    """Where the work lies until it is done: beside what is kept, unless named; nowhere for what can be read only once."""
    identity = source.identity
    if identity is None:
        if named is not None:
            raise InputError(
                f"{source.name} cannot be read a second time.", "Leave out the work folder, or give a file."
            )
        return None
    if named is None and KEPT not in outputs.paths:
        return None
    if named is not None:
        folder = Path(named).expanduser()
    else:
        kept = outputs.paths[KEPT]
        folder = kept.with_name(f"{kept.name}.work")
    settings = {
        "rules": _told(rules),
        "window": window_of(config),
        "across": config.diversity_across,
        "fields": astuple(choice),
    }
    return WorkFolder(folder, identity, settings)


def _told(rules: Rules) -> dict[str, Any]:
    return {
        "stages": sorted(rules.stages), "near": rules.near, "semantic": rules.semantic,
        "thresholds": dict(rules.thresholds),
    }  # fmt: skip


@dataclass(slots=True)
class _Tally:
    """What has been found so far."""

    rows: int = 0
    kept: int = 0
    bad: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    differs: Counter[str] = field(default_factory=Counter)
    scopes: set[str] = field(default_factory=set)
    ids: ExactIndex = field(default_factory=ExactIndex)
    repeated_ids: int = 0
    first_repeated_ids: list[tuple[int, str]] = field(default_factory=list)
    first_bad: list[tuple[int, str]] = field(default_factory=list)
    first_dropped: list[Pair] = field(default_factory=list)
    first_flagged: dict[str, list[Pair]] = field(default_factory=dict)


class _Run:
    def __init__(
        self,
        source: Source,
        outputs: Outputs,
        config: DatasetBuilderConfig,
        rules: Rules,
        comparison: Comparison,
        keep_bad: bool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._source, self._outputs, self._keep_bad, self._progress = source, outputs, keep_bad, progress
        self._config, self._rules, self._comparison = config, rules, comparison
        self._tally = _Tally()
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def go(self) -> DedupReport:
        # What compares is asked for batches to come while this thread writes what has been judged.
        waiting: deque[tuple[Batch, Callable[[], list[Answer]]]] = deque()
        with self._comparison as comparison:
            for batch in comparison.batches(self._source.checked_rows()):
                waiting.append((batch, comparison.submit(batch)))
                if len(waiting) > comparison.ahead:
                    self._settle(*waiting.popleft())
            while waiting:
                self._settle(*waiting.popleft())
            likeness = comparison.likeness()
        return self._report(likeness)

    def _settle(self, batch: Batch, answers: Callable[[], list[Answer]]) -> None:
        judged = iter(answers())
        for item in batch:
            if isinstance(item, BadLine):
                self._set_aside(item)
                continue
            answer = next(judged)
            if answer.broken is not None:
                raise answer.broken
            self._tally.rows += 1
            self._see_id(item)
            if answer.row is None:
                self._drop(item, answer)
            else:
                self._keep(item, answer)
        if self._progress is not None:
            tally, seconds = self._tally, time.perf_counter() - self._started
            self._progress(Progress(tally.rows, tally.rows - tally.kept, tally.bad, self._source.share, seconds))

    def _see_id(self, row: Row) -> None:
        """Count a row that has the id of an earlier one."""
        if row.parts.id is None:
            return
        tally, digest = self._tally, text_hash(row.parts.id)
        if tally.ids.find(digest) is None:
            tally.ids.add(digest, tally.rows)
            return
        tally.repeated_ids += 1
        if len(tally.first_repeated_ids) < SHOWN:
            tally.first_repeated_ids.append((row.line, row.parts.id))

    def _set_aside(self, bad: BadLine) -> None:
        self._tally.bad += 1
        if len(self._tally.first_bad) < SHOWN:
            self._tally.first_bad.append((bad.line, bad.reason))
        if self._keep_bad:
            self._outputs.keep(bad, self._source.heading)

    def _drop(self, row: Row, answer: Answer) -> None:
        match, tally = answer.match, self._tally
        assert match is not None
        tally.dropped[match.stage] += 1
        first = len(tally.first_dropped) < SHOWN
        if not first and not self._outputs.wants(DROPPED):
            return
        found = self._source.kept(match.row)
        self._outputs.drop(row, match, found)
        if first:
            tally.first_dropped.append(
                Pair(
                    kind="repeat",
                    line=row.line,
                    text=row.parts.shown,
                    match=found,
                    stage=match.stage,
                    score=match.score,
                    why=match.reason,
                    threshold=match.threshold,
                )
            )

    def _keep(self, row: Row, answer: Answer) -> None:
        tally = self._tally
        assert answer.row == tally.kept, "rows are admitted in order"
        self._source.keep(row)
        self._outputs.keep(row, self._source.heading)
        tally.kept += 1
        tally.scopes.add(row.parts.category)
        if not answer.flags:
            return
        tally.flagged.update({flag.kind for flag in answer.flags})
        tally.differs.update({why for flag in answer.flags if flag.kind == "contrast" for why in flag.differs})
        told = []
        for flag in answer.flags:
            pairs = tally.first_flagged.setdefault(flag.kind, [])
            if len(pairs) < SHOWN or self._outputs.wants(FLAGGED):
                found = self._source.kept(flag.row)
                told.append((flag, found))
                if len(pairs) < SHOWN:
                    why = ", ".join(flag.differs)
                    pairs.append(
                        Pair(
                            kind=flag.kind,
                            line=row.line,
                            text=row.parts.shown,
                            match=found,
                            stage=flag.stage,
                            score=flag.score,
                            why=why,
                        )
                    )
        if told:
            self._outputs.flag(row, told)

    def _report(self, likeness: Likeness) -> DedupReport:
        tally, config = self._tally, self._config
        rules: dict[str, Any] = {
            "stages": list(config.diversity_stages), "near": self._rules.near, "semantic": self._rules.semantic,
            "similar": self._rules.similar, "window": window_of(config), "across": config.diversity_across,
            "embedding_model": config.embedding_model,
        }  # fmt: skip
        if self._rules.thresholds:
            rules["thresholds"] = dict(self._rules.thresholds)
        return DedupReport(
            source=self._source.name,
            rows=tally.rows,
            kept=tally.kept,
            dropped=dict(tally.dropped),
            flagged=dict(tally.flagged),
            differs=dict(tally.differs.most_common()),
            bad=tally.bad,
            repeated_ids=tally.repeated_ids,
            first_repeated_ids=tuple(tally.first_repeated_ids),
            shape=self._source.shape.label if self._source.shape is not None else "",
            scopes=len(tally.scopes),
            shared=self._source.shared,
            rules=rules,
            seconds=time.perf_counter() - self._started,
            cpu_seconds=time.process_time() - self._cpu,
            peak_memory=peak_memory(),
            first_bad=tuple(tally.first_bad),
            first_dropped=tuple(tally.first_dropped),
            first_flagged={kind: tuple(pairs) for kind, pairs in tally.first_flagged.items()},
            likeness=likeness,
            keep_bad=self._keep_bad,
            written={name: str(path) for name, path in self._outputs.paths.items()},
            cluster=self._comparison.figures,
        )
