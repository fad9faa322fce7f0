"""Who acts, and what belongs together: said by whoever does something, for the log of what can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from dsbuilder_tui.domain.undo import ActFacts, ActKind, Actor
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.store.undo_log import ActStep, NewAct

_ACTOR: ContextVar[Actor] = ContextVar("actor", default=Actor.PERSON)
_STEP: ContextVar[ActStep | None] = ContextVar("step", default=None)
_NOTED: ContextVar[bool] = ContextVar("noted", default=True)


@contextmanager
def one_step(actor: Actor | None = None) -> Iterator[None]:
    """What is done inside of this is undone at once; ``actor`` is who does it, None who did it before."""
    tokens = _STEP.set(_STEP.get() or ActStep()), _ACTOR.set(actor or _ACTOR.get())
    try:
        yield
    finally:
        _STEP.reset(tokens[0])
        _ACTOR.reset(tokens[1])


@contextmanager
def unnoted() -> Iterator[None]:
    """What is done inside of this is no act of its own."""
    token = _NOTED.set(False)
    try:
        yield
    finally:
        _NOTED.reset(token)


def new_act(files: SessionFiles, kind: ActKind, facts: ActFacts, lines: tuple[int, int] | None = None) -> NewAct | None:
    """An act that is about to be done, to be written with what it changes; None for what is no act of its own.

    ``lines`` are the places of its first and its last line in the history, by default one of its own.
    """
    if not _NOTED.get():
        return None
    first, last = lines or (files.store.next_seq(),) * 2
    return NewAct(
        kind=kind, facts=facts, actor=_ACTOR.get(), step=_STEP.get() or ActStep(),
        seq=first, last_seq=last, created_at=files.clock.now(),
    )  # fmt: skip
