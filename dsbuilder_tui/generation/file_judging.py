"""A judge over a dataset file: each row gets a verdict, in a file beside it; the file itself is only read.

Verdicts are written as they come, so that whoever is interrupted goes on where it was: a row whose verdict is there, by this
model and this rubric, is not asked about again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import xxhash

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import EndpointUnavailable, InputError, StorageError
from dsbuilder_tui.domain.judging import TAG, JudgedCounts, Judgement, Verdict, verdict_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.judge_caller import JudgeCaller
from dsbuilder_tui.generation.judge_queue import JudgeItem, JudgeQueue, Verdicts
from dsbuilder_tui.generation.known_findings import KnownFindings
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import SlotRequest, TextModel
from dsbuilder_tui.quality.judge_prompt import CASES_A_CALL, JudgePrompter, PresentedCase
from dsbuilder_tui.quality.rubric import rubric_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice

_GROUPS_AHEAD = 3  # calls' worth of rows that wait for each call in flight


@dataclass(slots=True)
class FileVerdicts:
    """What a judge said of a file's rows. ``known`` were judged before, ``unreadable`` are lines that hold no case.

    ``dollars`` is None when the model's price is not known; ``budget_used_up`` when rows were left because of it.
    """

    rows: int = 0
    known: int = 0
    unreadable: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    dollars: float | None = 0.0
    budget_used_up: bool = False
    counts: dict[str, JudgedCounts] = field(default_factory=dict)

    @property
    def total(self) -> JudgedCounts:
        """The counts of all categories together."""
        return sum(self.counts.values(), JudgedCounts())

    def take(self, category: str, finding: Judgement) -> None:
        counts = self.counts.get(category, JudgedCounts()).with_one(finding)
        self.counts[category] = JudgedCounts(counts.good, counts.bad, counts.not_judged, counts.cases + 1)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "rows": self.rows, "known": self.known, "unreadable": self.unreadable, "calls": self.calls,
            "prompt_tokens": self.usage.prompt_tokens, "completion_tokens": self.usage.completion_tokens,
            "dollars": self.dollars, "budget_used_up": self.budget_used_up, "total": self.total.as_dict(),
            "categories": {name: counts.as_dict() for name, counts in self.counts.items()},
        }  # fmt: skip


def verdicts_beside(source: Path) -> Path:
    """Where the verdicts on a file are kept unless another place is named: ``cases.jsonl.verdicts.jsonl``."""
    return source.with_name(f"{source.name}.verdicts.jsonl")


async def judge_file(
    source: Path | str,
    out: Path,
    model: TextModel,
    config: DatasetBuilderConfig,
    *,
    choice: FieldChoice | None = None,
    plan: DatasetPlanInput | None = None,
    told: Callable[[FileVerdicts], None] = lambda found: None,
) -> FileVerdicts:
    """Judge the rows of a file, and write their verdicts to ``out``, a line each.

    ``plan`` says what the application is and what the categories test, and has the rubric; without it the rows alone are
    known. ``told`` is called after each call. Raises ``InputError``, ``StorageError``, ``EndpointRefused`` or
    ``EndpointUnavailable``; what was said until then is kept.
    """
    if str(source) != "-" and os.path.realpath(out) == os.path.realpath(Path(source).expanduser()):
        raise InputError(f"{out} is the file to read.", "Name another file for the verdicts with --out.")
    plan = plan or DatasetPlanInput.undecided("dataset")
    return await _FileJudging(source, out, model, config, choice or FieldChoice(), plan, told).run()


class _FileJudging:
    def __init__(
        self,
        source: Path | str,
        out: Path,
        model: TextModel,
        config: DatasetBuilderConfig,
        choice: FieldChoice,
        plan: DatasetPlanInput,
        told: Callable[[FileVerdicts], None],
    ) -> None:
        clock = SystemClock()
        self._source, self._out, self._choice, self._plan, self._told = source, out, choice, plan, told
        self._model, self._workers = model, config.workers
        self._budget = Budget(PriceTable(config.prices), lambda: config.budget)
        rubric = rubric_of(plan)
        self._rubric = f"{xxhash.xxh3_64_intdigest(repr(rubric).encode()):016x}"
        limit = AdaptiveConcurrency(
            config.workers, clock, lambda number, reason: None,
            requests_per_minute=config.requests_per_minute, tokens_per_minute=config.tokens_per_minute,
        )  # fmt: skip
        retries = CallRetries(
            limit, clock, random.Random(), config.max_retries, lambda *_: None, startup_timeout=config.startup_timeout
        )
        self._caller = JudgeCaller(
            model, JudgePrompter(plan, rubric), limit, retries, clock, lambda: not self._budget.used_up
        )
        self._changed = asyncio.Event()
        self._queue = JudgeQueue(self._ask, model.name, failed=self._failed, changed=self._changed.set)
        self._categories = {category.name: category for category in plan.categories}
        self._error: BaseException | None = None
        self._number, self._detail = 0, ""  # of the last call
        self.found = FileVerdicts()

    async def run(self) -> FileVerdicts:
        try:
            known = self._known()
            with self._out.open("ab") as handle, Source(self._source, self._choice) as rows:
                self._handle: BinaryIO = handle
                most = CASES_A_CALL * self._workers * _GROUPS_AHEAD
                try:
                    for row in rows.checked_rows():
                        self._take(row, known)
                        while self._queue.waiting >= most and not self._queue.closed:
                            await self._next_change()
                        if self._queue.closed:
                            break
                    self._queue.flush()
                    while self._queue.waiting:
                        await self._next_change()
                finally:
                    await self._queue.close()
        except OSError as error:
            raise StorageError(
                f"{self._out} could not be written: {error.strerror or error}.", "Name another file with --out."
            ) from None
        if self._error is not None:
            raise self._error
        return self.found

    async def _next_change(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    def _take(self, row: Row | BadLine, known: KnownFindings) -> None:
        self.found.rows += 1
        if isinstance(row, BadLine):
            self.found.unreadable += 1
            return
        digest = f"{xxhash.xxh3_64_intdigest(row.body):016x}"
        category = row.parts.category
        if (finding := known.find(row.line, digest)) is not None:
            self.found.known += 1
            self.found.take(category, finding)
            return
        parts = row.parts
        slot = Slot(category, row.line, attributes=parts.attributes, row=row_of(parts.tags))
        case = PresentedCase(
            inputs=parts.inputs, expectations=parts.expectations, attributes=parts.attributes, source=slot.source
        )

        async def deliver(verdict: Verdict) -> None:
            told = {
                "line": row.line, "id": row.parts.id, "category": category, TAG: verdict.as_tag(), "digest": digest,
                "rubric": self._rubric,
            }  # fmt: skip
            self._handle.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
            self._handle.flush()
            self.found.take(category, verdict.finding)

        self._queue.put(JudgeItem(slot=slot, case=case, deliver=deliver, drop=lambda: None))

    async def _ask(self, items: list[JudgeItem]) -> Verdicts | None:
        name = items[0].slot.category
        category = self._categories.get(name) or DatasetCategory.model_construct(name=name, count=1)
        self._number += 1
        batch = Batch(self._number, category, tuple(SlotRequest(item.slot, item.asked) for item in items), ())
        result = BatchOutcome()
        try:
            verdicts = await self._caller.execute(batch, [item.case for item in items], result)
            self._detail = result.detail
            self.found.budget_used_up |= verdicts is None and self._budget.used_up
            return verdicts
        finally:
            self.found.calls += bool(result.usage.prompt_tokens or result.delivered)
            self.found.usage += result.usage
            self._budget.charge(self._model.name, result.usage)
            self.found.dollars = self._budget.dollars
            self._told(self.found)

    def _failed(self, error: BaseException | None) -> None:
        if error is None and not self.found.budget_used_up:
            error = EndpointUnavailable(
                f"The judge's model {self._model.name} kept failing ({self._detail}). The verdicts so far are in {self._out}.",
                "Check the connection with `dsbuilder doctor`; the same command goes on.",
            )
        self._error = error
        self._changed.set()

    def _known(self) -> KnownFindings:
        """Those of the verdicts that are there, by this model and rubric. A line that a kill broke off is cut away."""
        known = KnownFindings()
        if not self._out.exists():
            return known
        whole = 0
        with self._out.open("rb") as handle:
            for line in handle:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    told = orjson.loads(line)
                    verdict, line_number, digest = verdict_of(told), int(told["line"]), str(told["digest"])
                except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
                    raise InputError(
                        f"{self._out} is no file of verdicts.", "Name another one with --out, or move it away."
                    ) from None
                if verdict is not None and (verdict.model, told.get("rubric")) == (self._model.name, self._rubric):
                    known.add(line_number, digest, verdict.finding)
        if whole < self._out.stat().st_size:
            with self._out.open("r+b") as handle:
                handle.truncate(whole)
        return known
