"""Nodes behind a slow network: what goes to them and comes back takes longer, each message as long as chance has it."""

from __future__ import annotations

import asyncio
import random

import pytest

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.runners import node_pool
from dsbuilder_tui.generation.runners.node_actor import CallActor, NodeReady
from dsbuilder_tui.generation.runners.node_call import NodeAnswer, NodeRequest


class FarActor(CallActor):
    """A process on a node to which messages take 0.5 to 1.5 times ``delay`` seconds, and as long back: not in their order."""

    delay = 0.05

    async def prepare(self, settings: bytes, plan: DatasetPlanInput | None) -> NodeReady:
        await self._travel()
        return await super().prepare(settings, plan)

    async def call(self, model: str, request: NodeRequest, at_once: int) -> NodeAnswer:
        await self._travel()
        answer = await super().call(model, request, at_once)
        await self._travel()
        return answer

    async def give_back(self) -> None:
        await self._travel()
        await super().give_back()

    async def _travel(self) -> None:
        await asyncio.sleep(self.delay * random.uniform(0.5, 1.5))


def move_nodes_away(patch: pytest.MonkeyPatch, delay: float) -> None:
    """From now on processes are begun behind a network that takes so many seconds each way."""
    patch.setattr(node_pool, "CallActor", type("FarActor", (FarActor,), {"delay": delay}))
