"""``DatasetBuilderAgent``: the documented entrance to dataset building from Python."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.turn_events import TurnEvent
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import InputError, SessionNotFound
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import BuilderState, RunResult
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import (
    folder_name,
    notes_of,
    open_saved,
    session_folders,
)
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

# The agent that the documented bare functions speak to: the one last created in this context.
_current: ContextVar[DatasetBuilderAgent | None] = ContextVar("current_agent", default=None)


class DatasetBuilderAgent:
    """Builds datasets: talk with it (``say``, ``approve``, ``decline``), or have it run a plan (``generate``).

    ``model`` names the main agent's model; workers use ``config.worker_model``. Without a key or an endpoint the
    built-in planner and the built-in writer stand in. Close with ``await agent.aclose()``, or use it as an async context
    manager.
    """

    def __init__(self, model: str | None = None, config: DatasetBuilderConfig | None = None) -> None:
        self.config = config or DatasetBuilderConfig()
        if model is not None and model != self.config.model:
            self.config = self.config.model_copy(update={"model": model})
        self._session: Session | None = None
        self._dataset: str | None = None
        self._host: HeadlessHost | None = None
        self._conversation: Conversation | None = None
        self._listeners: list[Callable[[Event], None]] = []
        _current.set(self)

    @property
    def session(self) -> Session:
        """The open session. Raises ``InputError`` when there is none yet."""
        if self._session is None:
            raise InputError("The agent has no session yet.", "Call generate(plan) or load_from_checkpoint() first.")
        return self._session

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every event of every session this agent opens."""
        self._listeners.append(listener)
        if self._session:
            self._session.subscribe(listener)

    async def say(self, text: str) -> AsyncGenerator[TurnEvent, None]:
        """Say something to the main agent; yields its turn in parts: words as they come, each message that the session keeps
        of it, the question that it ends with (see ``agent.turn_events``).

        Begins a session of its own when none is open. A turn that ends with ``QuestionAsked`` waits for ``approve`` or
        ``decline``; a run that the agent starts goes on in the background (``wait``).
        """
        if self._session is None:
            await self._adopt(await Session.begin("untitled", self.config))
        async for part in (await self._talk()).say(text):
            yield part

    async def pending(self) -> Approval | None:
        """The question that waits for an answer: a proposed plan, a large run, an end."""
        return await (await self._talk()).waiting() if self._session else None

    async def approve(self, plan: DatasetPlanInput | None = None) -> AsyncGenerator[TurnEvent, None]:
        """Say yes to the question that waits; ``plan`` is a proposed plan as edited. Raises ``InputError`` without one."""
        conversation = await self._talk()
        async for part in conversation.answer(await self._asked(), yes=True, plan=plan):
            yield part

    async def decline(self, words: str = "") -> AsyncGenerator[TurnEvent, None]:
        """Say no to the question that waits, and what you want instead. Raises ``InputError`` when none waits."""
        conversation = await self._talk()
        async for part in conversation.answer(await self._asked(), yes=False, words=words):
            yield part

    async def wait(self) -> RunResult | None:
        """Until the run that the agent started has ended; None when there was none. Raises what ``Session.run`` raises."""
        return await self._host.result() if self._host else None

    async def _talk(self) -> Conversation:
        if self._conversation is None:
            self._host = HeadlessHost(self.session)
            self._conversation = Conversation(self._host)
            await self._conversation.open()
        return self._conversation

    async def _asked(self) -> Approval:
        if (waiting := await self.pending()) is None:
            raise InputError("No question waits for an answer.", "Say what you need with say().")
        return waiting

    async def generate(self, plan: DatasetPlanInput) -> RunResult:
        """Build a dataset in a session of its own. Raises ``PlanError``, ``EndpointRefused`` or ``StorageError``."""
        await self._adopt(await Session.create(plan, self.config))
        return await self.session.run()

    async def resume(self) -> RunResult:
        """Fill the open slots of the session that is open."""
        return await self.session.run()

    async def load_from_checkpoint(
        self, path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
    ) -> BuilderState:
        """Open what was saved: a session folder, a session file, a session's name, or a seed-format JSON.

        Without a path: the newest session of the current dataset (of all, when there is none yet). A seed-format JSON
        that this directory's sessions wrote opens that session, which is never behind its JSON. Call ``resume()`` to
        go on. Raises ``SessionNotFound``, ``SessionInUse``, ``InputError`` and what else opening can raise.
        """
        path = path if path is not None else checkpoint_path
        await self.aclose()  # it may be the very session that is asked for, and a session is open only once
        reference = path if path is not None else self._newest()
        session = await open_saved(reference, self.config)
        await self._adopt(session)
        return await session.summary()

    async def get_builder_state_summary(self) -> BuilderState:
        """Progress, checkpoints, rejections and categories of the open session."""
        return await self.session.summary()

    async def cases(self) -> AsyncIterator[AcceptedCase]:
        """The accepted cases so far, in slot order."""
        async for case in self.session.cases.all():
            yield case

    async def export(self, path: str | Path, kind: str | None = None) -> int:
        """Write the cases to a file; see ``Session.export``."""
        return await self.session.export(path, kind)

    async def aclose(self) -> None:
        if self._host:
            await self._host.close()
        self._host = self._conversation = None
        if self._session:
            await self._session.aclose()
            self._session = None

    async def __aenter__(self) -> DatasetBuilderAgent:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()

    async def _adopt(self, session: Session) -> None:
        await self.aclose()
        self._session, self._dataset = session, session.plan.dataset_name
        for listener in self._listeners:
            session.subscribe(listener)

    def _newest(self) -> str | None:
        if self._dataset is None:
            return None
        name = folder_name(self._dataset)
        root = self.config.checkpoint_root
        noted = {note.id for note in notes_of(root, self._dataset)}  # also those that have another name by now
        for folder in session_folders(root):
            if folder.name in noted or re.fullmatch(re.escape(name) + r"(-\d+)?", folder.name):
                return folder.name
        raise SessionNotFound(f"There is no session of the dataset {name!r}.", "Name one by its path.")


def _agent() -> DatasetBuilderAgent:
    return _current.get() or DatasetBuilderAgent()


async def load_from_checkpoint(
    path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
) -> BuilderState:
    """``DatasetBuilderAgent.load_from_checkpoint`` of the current agent (a new one when there is none)."""
    return await _agent().load_from_checkpoint(path, checkpoint_path=checkpoint_path)


async def get_builder_state_summary() -> BuilderState:
    """``DatasetBuilderAgent.get_builder_state_summary`` of the current agent."""
    return await _agent().get_builder_state_summary()
