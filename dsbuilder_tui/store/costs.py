"""Calls of the main agent, and the sums of tokens by model."""

from __future__ import annotations

import sqlite3

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rows import AgentCall
from dsbuilder_tui.store.schema import MAIN_BRANCH


class CostTable:
    """Keeps the calls of the main agent, and sums what models were used for."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def add_agent_call(self, call: AgentCall) -> None:
        """Write one call; on disk when this returns."""
        u = call.usage
        row = (
            call.seq, MAIN_BRANCH, call.purpose, call.model, u.prompt_tokens, u.cached_tokens, u.completion_tokens,
            call.seconds, call.created_at,
        )  # fmt: skip
        await self._store.write(
            lambda connection: connection.execute("INSERT INTO agent_call VALUES (?,?,?,?,?,?,?,?,?)", row)
        )

    async def usage_by_model(self) -> tuple[dict[str, Usage], dict[str, Usage], dict[str, Usage]]:
        """Tokens by model, of the main agent, of the workers and of the judge.

        How many tokens of a worker's or a judge's call were cached is not kept: they count as other input here, so that
        what comes of these sums is never less than what was paid.
        """

        def read(connection: sqlite3.Connection) -> tuple[dict[str, Usage], dict[str, Usage], dict[str, Usage]]:
            agent, workers, judge = (
                {
                    model: Usage(prompt, completion, known=bool(prompt or completion), cached_tokens=cached)
                    for model, prompt, cached, completion in connection.execute(
                        f"SELECT model, sum(prompt_tokens), {cached}, sum(completion_tokens) FROM {rows} "
                        "GROUP BY model ORDER BY min(seq)"
                    )
                }
                for rows, cached in (
                    ("agent_call", "sum(cached_tokens)"),
                    (f"worker_call WHERE role<>'{CallRole.JUDGE}'", "0"),  # whoever writes, cases or templates
                    (f"worker_call WHERE role='{CallRole.JUDGE}'", "0"),
                )
            )
            return agent, workers, judge

        return await self._store.read(read)
