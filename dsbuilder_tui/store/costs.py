"""Calls of the main agent, and the sums of tokens by model."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from dsbuilder_tui.domain.call_role import STAGE_ROLES, CallRole
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rows import AgentCall
from dsbuilder_tui.store.schema import MAIN_BRANCH


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens by model, of the main agent, of all that wrote cases, and of the judge.

    ``stages`` are those that wrote, by stage, where there is more than one. ``batched`` is the workers' part that was used in
    batch jobs.
    """

    main_agent: dict[str, Usage]
    workers: dict[str, Usage]
    judge: dict[str, Usage]
    stages: dict[CallRole, dict[str, Usage]]
    batched: dict[str, Usage]


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

    async def usage_by_model(self) -> ModelUsage:
        """What each model was used for.

        How many tokens of a call that is not the main agent's were cached is not kept: they count as other input here, so
        that what comes of these sums is never less than what was paid.
        """

        def read(connection: sqlite3.Connection) -> ModelUsage:
            agent = {
                model: Usage(prompt, completion, known=bool(prompt or completion), cached_tokens=cached)
                for model, prompt, cached, completion in connection.execute(
                    "SELECT model, sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens) FROM agent_call "
                    "GROUP BY model ORDER BY min(seq)"
                )
            }
            calls: dict[CallRole, dict[str, Usage]] = {}
            for role, model, prompt, completion in connection.execute(
                "SELECT role, model, sum(prompt_tokens), sum(completion_tokens) FROM worker_call "
                "GROUP BY role, model ORDER BY min(seq)"
            ):
                used = Usage(prompt, completion, known=bool(prompt or completion))
                calls.setdefault(CallRole(role), {})[model] = used
            batched = {
                model: Usage(prompt, completion, known=bool(prompt or completion))
                for model, prompt, completion in connection.execute(
                    "SELECT model, sum(prompt_tokens), sum(completion_tokens) FROM worker_call WHERE batched GROUP BY model"
                )
            }
            return _by_part(agent, calls, batched)

        return await self._store.read(read)


def _by_part(agent: dict[str, Usage], calls: dict[CallRole, dict[str, Usage]], batched: dict[str, Usage]) -> ModelUsage:
    judge = calls.pop(CallRole.JUDGE, {})
    workers: dict[str, Usage] = {}
    stages = {role: calls[role] for role in CallRole if role in calls}
    for used in stages.values():
        for model, usage in used.items():
            workers[model] = workers.get(model, Usage()) + usage
    return ModelUsage(agent, workers, judge, stages if stages.keys() & set(STAGE_ROLES) else {}, batched)
