"""Lines of history that stand: those of acts that have been undone tell of nothing that is so."""

from __future__ import annotations

from dsbuilder_tui.domain.undo import ActState

# A condition on the `seq` of `history`.
STANDING_LINE = f"seq NOT IN (SELECT seq FROM act WHERE state IN ('{ActState.UNDONE}', '{ActState.DROPPED}'))"
