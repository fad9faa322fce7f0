"""A call as it travels to a node of a cluster and back: the request without what the node has, the whole answer at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.advertised_limits import Advertised
from dsbuilder_tui.models.protocol import (
    CallRefused,
    SlotRequest,
    StreamEnd,
    TellsLimits,
    Thought,
    TransientError,
    WorkerRequest,
)

Piece: TypeAlias = str | Thought | StreamEnd
CallError: TypeAlias = TransientError | CallRefused | DsbuilderError


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """A ``WorkerRequest`` without its plan: a node got that when it joined."""

    category: str
    slots: tuple[SlotRequest, ...]
    seed: int
    system: str
    prompt: str
    schema: bytes
    max_tokens: int
    candidates: int

    @classmethod
    def of(cls, request: WorkerRequest) -> NodeRequest:
        return cls(
            category=request.category.name, slots=request.slots, seed=request.seed, system=request.system,
            prompt=request.prompt, schema=orjson.dumps(request.schema), max_tokens=request.max_tokens,
            candidates=request.candidates,
        )  # fmt: skip

    def with_plan(self, plan: DatasetPlanInput) -> WorkerRequest:
        """The request as a model takes it."""
        return WorkerRequest(
            plan=plan, category=next(each for each in plan.categories if each.name == self.category), slots=self.slots,
            seed=self.seed, system=self.system, prompt=self.prompt, schema=orjson.Fragment(self.schema),
            max_tokens=self.max_tokens, candidates=self.candidates,
        )  # fmt: skip


class CallNotBegun(Exception):
    """A call was given back before its turn was come: nobody has been asked."""


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """All that came, in its order, and the error that it ended with. ``advertised`` is what the headers said of limits.

    ``waited`` and ``made`` are the seconds that the call waited for its turn on the node, and that it was made for.
    Where it was given back before it had ``begun``, there is nothing.
    """

    pieces: tuple[Piece, ...]
    error: CallError | None = None
    advertised: Advertised | None = None
    waited: float = 0.0
    made: float = 0.0
    begun: bool = True


def handed_on(answer: NodeAnswer, model: object) -> Iterator[Piece]:
    """An answer as the stream of the ``model`` that it stands for, which hears of its limits.

    Raises the answer's error, and ``CallNotBegun``.
    """
    if not answer.begun:
        raise CallNotBegun
    if answer.advertised is not None and isinstance(model, TellsLimits):
        model.limits.take_in(answer.advertised, time.monotonic())
    yield from answer.pieces
    if answer.error is not None:
        raise answer.error


async def heard(stream: AsyncIterator[Piece]) -> tuple[tuple[Piece, ...], CallError | None]:
    """A stream to its end: what came, neighbours of one kind joined, and what it raised of what a model may raise."""
    pieces: list[Piece] = []
    texts: list[str] = []
    thoughts: list[str] = []

    def join() -> None:
        if texts:
            pieces.append("".join(texts))
        if thoughts:
            pieces.append(Thought("".join(thoughts)))
        texts.clear()
        thoughts.clear()

    try:
        async for piece in stream:
            if isinstance(piece, str):
                if thoughts:
                    join()
                texts.append(piece)
            elif isinstance(piece, Thought):
                if texts:
                    join()
                thoughts.append(piece.text)
            else:
                join()
                pieces.append(piece)
    except (TransientError, CallRefused, DsbuilderError) as error:
        join()
        return tuple(pieces), error.with_traceback(None)
    join()
    return tuple(pieces), None
