"""The truth about a session's progress: one file, and a small object for each group of its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.store.agent_memory import AgentMemoryTable
from dsbuilder_tui.store.approvals import ApprovalTable
from dsbuilder_tui.store.batch_jobs import BatchJobTable
from dsbuilder_tui.store.branches import BranchTable
from dsbuilder_tui.store.case_groups import CaseGroups
from dsbuilder_tui.store.cases import CaseTable
from dsbuilder_tui.store.chat import ChatTable
from dsbuilder_tui.store.checkpoints import CheckpointTable
from dsbuilder_tui.store.commit import apply, take_in
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.costs import CostTable
from dsbuilder_tui.store.database import Database
from dsbuilder_tui.store.decision_scores import DecisionScores
from dsbuilder_tui.store.deleted_branches import DeletedBranches
from dsbuilder_tui.store.evaluations import EvaluationTable
from dsbuilder_tui.store.history import HistoryTable
from dsbuilder_tui.store.meta import MetaTable
from dsbuilder_tui.store.outbox import OutboxTable
from dsbuilder_tui.store.passages import PassageTable
from dsbuilder_tui.store.past_cases import PastCaseTable
from dsbuilder_tui.store.plans import UNDECIDED, PlanTable
from dsbuilder_tui.store.progress import ProgressTable
from dsbuilder_tui.store.rejections import RejectionTable
from dsbuilder_tui.store.response_journal import ResponseJournal
from dsbuilder_tui.store.review_candidates import ReviewCandidates
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.rows import Changes
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.slot_states import SlotTable
from dsbuilder_tui.store.source_rows import SourceRowTable
from dsbuilder_tui.store.staged_cases import StagedCaseTable
from dsbuilder_tui.store.statistics import StatisticsReader
from dsbuilder_tui.store.templates import TemplateTable
from dsbuilder_tui.store.verdicts import VerdictTable
from dsbuilder_tui.store.worker_calls import WorkerCallTable


class SessionStore:
    """One session file. Everything of it raises ``StorageError`` or ``SessionDamaged`` on a bad disk."""

    def __init__(self, connection: StoreConnection) -> None:
        self.connection = connection
        self.agent_memory = AgentMemoryTable(connection)
        self.approvals = ApprovalTable(connection)
        self.batch_jobs = BatchJobTable(connection)
        self.branches = BranchTable(connection)
        self.calls = WorkerCallTable(connection)
        self.case_groups = CaseGroups(connection)
        self.cases = CaseTable(connection)
        self.chat = ChatTable(connection)
        self.checkpoints = CheckpointTable(connection)
        self.costs = CostTable(connection)
        self.deleted_branches = DeletedBranches(connection)
        self.evaluations = EvaluationTable(connection)
        self.history = HistoryTable(connection)
        self.meta = MetaTable(connection)
        self.outbox = OutboxTable(connection)
        self.past_cases = PastCaseTable(connection)
        self.passages = PassageTable(connection)
        self.plans = PlanTable(connection)
        self.progress = ProgressTable(connection)
        self.rejections = RejectionTable(connection)
        self.responses = ResponseJournal(connection)
        self.review_candidates = ReviewCandidates(connection)
        self.scores = DecisionScores(connection)
        self.source_rows = SourceRowTable(connection)
        self.slots = SlotTable(connection)
        self.staged = StagedCaseTable(connection)
        self.statistics = StatisticsReader(connection)
        self.templates = TemplateTable(connection)
        self.verdicts = VerdictTable(connection)

    @classmethod
    async def create(cls, path: Path, plan: DatasetPlanInput, meta: dict[str, Any], clock: Clock) -> SessionStore:
        """A new session file. A kill on the way leaves half of one, so its folder has no name yet."""
        database = Database(path)
        await database.open(create=True)

        def fill(connection: sqlite3.Connection) -> None:
            now = clock.now()
            connection.execute("INSERT INTO branch (id, name, created_at) VALUES (?, 'main', ?)", (MAIN_BRANCH, now))
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [(k, to_text(v)) for k, v in meta.items()])
            connection.execute(
                "INSERT INTO plan_revision VALUES (1, ?, ?, ?, ?)",
                (MAIN_BRANCH, 1 if plan.decided else UNDECIDED, to_text(plan.model_dump(mode="json")), now),
            )
            for number, category in enumerate(plan.categories, 1):
                connection.execute("INSERT INTO category VALUES (?, ?)", (number, category.name))
                connection.execute("INSERT INTO progress (branch_id, category_id) VALUES (?, ?)", (MAIN_BRANCH, number))

        connection = StoreConnection(database, clock)
        try:
            await database.write(fill)
            await connection.load()
        except BaseException:
            await database.close()
            raise
        return cls(connection)

    @classmethod
    async def open(cls, path: Path, clock: Clock, *, watched: bool = False) -> SessionStore:
        """Open a session file; one that is ``watched`` is only read, beside whoever writes it."""
        database = Database(path, watched=watched)
        await database.open()
        connection = StoreConnection(database, clock)
        try:
            await connection.load()
        except BaseException:
            await database.close()
            raise
        return cls(connection)

    async def close(self) -> None:
        await self.connection.database.close()

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return self.connection.path.parent

    @property
    def seq(self) -> int:
        """The last place in the history that was given out."""
        return self.connection.seq

    def next_seq(self) -> int:
        return self.connection.next_seq()

    def next_seqs(self, count: int) -> range:
        """The next so many places in the history."""
        return self.connection.next_seqs(count)

    def next_checkpoint(self) -> int:
        return self.connection.next_checkpoint()

    async def moved(self, move: Callable[[], Path]) -> None:
        """Close the file, let ``move`` give its folder another place, and open it there; whoever reads waits.

        ``move`` returns where the file is then. What it raises is raised after the file is open again where it was.
        """
        await self.connection.database.moved(move)

    async def commit(self, changes: Changes) -> None:
        """Write everything in one transaction; on disk when this returns."""
        await self.connection.write(lambda connection: apply(connection, changes, self.connection.ids))

    async def take_in(self, cases: Iterable[AcceptedCase], following: Callable[[], Changes]) -> None:
        """Write any number of cases, and what follows of them, in one transaction. Both are asked for on the store's thread:
        the cases some at a time, ``following`` when all of them have come."""

        def write(connection: sqlite3.Connection) -> None:
            take_in(connection, cases, self.connection.ids)
            apply(connection, following(), self.connection.ids)

        await self.connection.write(write)
