"""The setting up of a gate with its ledger and journal: the same for all that decide about a session's slots."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.ledger import Ledger
from dsbuilder_tui.generation.passage_plan import passage_plans
from dsbuilder_tui.generation.row_plan import row_plans
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import LedgerRows
from dsbuilder_tui.store.session_store import SessionStore


def gate_for(
    plan: DatasetPlanInput,
    config: DatasetBuilderConfig,
    store: SessionStore,
    clock: Clock,
    emit: Callable[[Event], None],
    seed: int,
    *,
    ordered: bool = False,
    on_broken: Callable[[PlugInBroken], None] = lambda error: None,
) -> Gate:
    """A gate that knows nothing of the past yet (``restore_gate``). Arguments and errors are those of ``Gate``; ``ordered``
    is the ledger's."""
    journal = Journal(
        store, clock, emit, accepted=0, planned=plan.total_instances,
        interval=config.checkpoint_interval if config.enable_checkpointing else None,
        most_answers=config.response_journal_mb * 1_000_000,
    )  # fmt: skip
    ledger = Ledger(plan, seed, config.max_attempts, ordered=ordered)
    return Gate(plan, config, store, clock, journal, ledger, on_broken)


async def restore_gate(
    gate: Gate, plan: DatasetPlanInput, store: SessionStore, seed: int, *, admits: bool = True
) -> LedgerRows:
    """Have a gate take over what the session file says; returns that.

    Without ``admits`` it is to let nothing in, so no text is loaded to be compared with. Raises ``InputError`` for documents
    and files of rows that cannot be read, or as ``Gate.restore``.
    """
    notice = gate.journal.notice
    rows = await store.slots.ledger_rows()
    retired = {name: len(ordinals) for name, ordinals in rows.retired.items()}
    passages = await passage_plans(plan, store.passages, seed, notice)
    gate.ledger.take_sources(passages, await row_plans(plan, store.source_rows, seed, retired, notice))
    await gate.restore(rows, await store.calls.last_batch(), admits=admits)
    return rows
