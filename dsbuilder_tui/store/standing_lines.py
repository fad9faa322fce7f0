"""Lines of history that stand: those of acts that have been undone tell of nothing that is so."""

from __future__ import annotations

from dsbuilder_tui.domain.undo import ActState

# A condition on rows of `history`.
STANDING_LINE = (
    f"NOT EXISTS (SELECT 1 FROM act WHERE act.state IN ('{ActState.UNDONE}', '{ActState.DROPPED}') "
    "AND history.seq BETWEEN act.seq AND act.last_seq)"
)
