"""Acts on cases that are undone, or redone: at rest in the store alone, during a run through its gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.domain.undo import ActOutdated, CaseFacts, RecordedAct
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.generation.ledger import SlotState
from dsbuilder_tui.session.case_changes import CaseChanges
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.act_rows import Return
from dsbuilder_tui.store.commit import history_row
from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.rows import Changes
from dsbuilder_tui.store.undo_log import ActReturn

if TYPE_CHECKING:
    from dsbuilder_tui.generation.gate import Gate

_COLUMNS, _CONTENT = CASE_COLUMNS.split(", "), ("inputs", "expectations")


class CaseReturns:
    """Puts back what acts on cases changed. The caller holds the session's acts."""

    def __init__(self, context: SessionContext, changes: CaseChanges) -> None:
        self._context, self._changes = context, changes

    async def case(self, act: RecordedAct, facts: CaseFacts, event: ActUndone, *, redo: bool) -> None:
        """An act on the case of one slot. Raises ``ActOutdated``, or ``InputError`` while the slot is being written."""
        name, ordinal, back = facts.category, facts.ordinal, ActReturn(id=act.id, redo=redo)
        if name not in self._context.categories():
            raise ActOutdated(f"The plan has no category {name!r} any more.", "Put it back first.")
        while True:
            ground = await self._changes.ground(name, ordinal)
            gate = ground.gate
            before = gate.ledger.state(name, ordinal) if gate else None
            rows = await self._context.files.store.undo_log.returning(back)
            if gate is None or (self._context.run and gate.ledger.state(name, ordinal) is before):
                break
        if not rows.rows:
            raise ActOutdated("What it changed has been changed back since.")
        event = self._counted(rows, event)
        changes = Changes(history=[history_row(self._context.files.store.next_seq(), event)], act=back)
        by = sum(counts["accepted"] for counts in event.counts.values())
        if gate is not None:
            self._at_gate(gate, rows, name, ordinal)
        elif by < 0 and self._context.files.meta["state"] in (SessionState.COMPLETE, SessionState.SHORT):
            changes.meta["state"] = SessionState.PAUSED
        await self._changes.decide(ground, changes, event, by)
        if gate is None:
            await self._context.settle()

    async def slots(self, act: RecordedAct, event: ActUndone, *, redo: bool) -> None:
        """Exhausted slots that were opened again, while the session rests. Raises ``ActOutdated``."""
        files, back = self._context.files, ActReturn(id=act.id, redo=redo)
        rows = await files.store.undo_log.returning(back)
        if not rows.rows:
            raise ActOutdated("They were written since.")
        event = self._counted(rows, event)
        changes = Changes(history=[history_row(files.store.next_seq(), event)], act=back)
        if redo and files.meta["state"] in (SessionState.COMPLETE, SessionState.SHORT):
            changes.meta["state"] = SessionState.PAUSED
        await files.store.commit(changes)
        files.meta |= changes.meta
        files.emit(event)
        await files.note_status(running=False)
        await self._context.settle()

    async def told(self, back: ActReturn, event: ActUndone) -> ActUndone:
        """The event of an act, with what changes of the counters."""
        return self._counted(await self._context.files.store.undo_log.returning(back), event)

    def _counted(self, rows: Return, event: ActUndone) -> ActUndone:
        names = self._context.files.store.connection.names
        counts = {names[number]: counts for number, counts in rows.counts().items()}
        return replace(event, counts=counts, stages=rows.stages())

    def _at_gate(self, gate: Gate, rows: Return, name: str, ordinal: int) -> None:
        """Have the run know of it. Nothing is awaited from here to the journal. Raises ``InputError``."""
        names, cases = self._context.files.store.connection.names, rows.cases()
        coming = [to_be for now, to_be in cases if now is None and to_be is not None]
        leaving = [now for now, to_be in cases if to_be is None and now is not None]
        if coming and not leaving and gate.ledger.state(name, ordinal) is SlotState.LEASED:
            raise InputError(f"{case_id(name, ordinal)} is being written again right now.", "Wait a moment, or pause.")
        for now, to_be in cases:
            said = now is not None and to_be is not None and all(now[column] == to_be[column] for column in _CONTENT)
            if to_be is None or said:
                continue
            case = read_case(names, [to_be[column] for column in _COLUMNS])
            if not case.damaged:
                gate.remember(case)
        gate.outdated.update(now["seq"] for now in leaving)
        if coming and not leaving:
            gate.ledger.claim(name, ordinal)
        elif leaving and not coming:
            gate.ledger.reopen(name, ordinal, 0, leaving[0]["seq"])
            if rows.exhausted() and (request := gate.ledger.take(name, ordinal)) is not None:
                gate.ledger.give_up(request.slot)
