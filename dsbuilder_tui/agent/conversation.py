"""The conversation of one person with the main agent, over one open session.

Light to import: the agents SDK, which costs seconds, comes in with the first turn, in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.agent.chat_messages import add_question_message
from dsbuilder_tui.agent.compaction import clipped, compact
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.missing_plan import missing_plan
from dsbuilder_tui.agent.monitor import Note, with_facts
from dsbuilder_tui.agent.turn_events import Activity, TurnEvent, TurnFailed
from dsbuilder_tui.agent.turn_recovery import ask_again, recover
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.message import MessageRole, NoticeContent, TextContent
from dsbuilder_tui.domain.plan import DatasetPlanInput

if TYPE_CHECKING:
    import agents

    from dsbuilder_tui.agent.turn import TurnRunner

_YES = frozenset("y yes yep yeah ok okay approve approved accept sure go fine lgtm ja sí si oui".split()) | {
    "do it", "go ahead", "looks good", "sounds good", "yes please", "that's fine", "go for it",
}  # fmt: skip
_NO = frozenset("n no nope decline reject cancel nein non".split()) | {"no thanks", "don't", "do not", "not now"}


class Conversation:
    """Turns of the main agent, as streams of turn events. One turn at a time; closing a stream stops its turn cleanly."""

    def __init__(self, host: Host, *, model: agents.Model | None = None) -> None:
        """``model`` stands in for the one that the session's configuration names."""
        self.host = host
        self._given_model = model
        self._runner: TurnRunner | None = None
        self._turn = asyncio.Lock()
        self.asked_again: Approval | None = None  # a question that came with a folder from elsewhere

    @property
    def busy(self) -> bool:
        """Whether a turn is being taken."""
        return self._turn.locked()

    async def open(self) -> None:
        """Take up what a process that ended has left: a question that was not answered is open again."""
        session = self.host.session
        await recover(self.host)
        self.asked_again = await ask_again(self.host)
        if (waiting := await session.approvals.open()) is not None:
            approval, _ = waiting
            shown = {message.call for message in await session.chat.messages()}
            if approval.call_id not in shown:
                await add_question_message(session, approval)

    async def waiting(self) -> Approval | None:
        """The question that waits for the person's answer."""
        found = await self.host.session.approvals.open()
        return found[0] if found else None

    async def prepare(self) -> None:
        """Load what the first turn needs."""
        await asyncio.to_thread(importlib.import_module, "dsbuilder_tui.agent.turn")

    async def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]:
        """The person says something; kept as a message.

        While a question is open a plain yes or no answers it. Anything else is a turn beside it: a question is answered,
        and what waits goes on waiting; a change brings a plan that takes its place.
        """
        session = self.host.session
        self._only_one()
        text = session.chat.without_keys(text)
        pastes = {number: session.chat.without_keys(paste) for number, paste in (pastes or {}).items()}
        await session.chat.add(MessageRole.PERSON, text, TextContent(pastes=pastes) if pastes else None)
        waiting = await self.waiting()
        plain = " ".join(text.casefold().split()).strip(" .!")
        if waiting is not None and not pastes and plain in _YES | _NO:
            parts = self.answer(waiting, yes=plain in _YES)
        else:
            whole = text
            for number, paste in pastes.items():
                whole += f"\n\n[pasted text {number}]\n{paste}"
            await self._remember(whole)
            parts = self._take_turn(lambda runner: runner.begin())
        async with aclosing(parts) as stream:
            async for part in stream:
                yield part

    async def answer(
        self, approval: Approval, *, yes: bool, words: str = "", plan: DatasetPlanInput | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        """Answer a question: yes (with the plan as the person edited it), or no, with what they want instead."""
        words = self.host.session.chat.without_keys(words)

        def go_on(runner: TurnRunner) -> AsyncGenerator[TurnEvent, None]:
            return runner.go_on(approval.call_id, yes=yes, words=words, plan=plan)

        async with aclosing(self._take_turn(go_on)) as stream:
            async for part in stream:
                yield part

    async def note(self, note: Note) -> AsyncGenerator[TurnEvent, None]:
        """The engine has something that a person should know; the agent puts it into words."""
        self._only_one()
        note = await with_facts(note, self.host.session)
        await self._remember(note.text())
        async with aclosing(self._take_turn(lambda runner: runner.begin())) as stream:
            async for part in stream:
                yield part

    def _only_one(self) -> None:
        if self._turn.locked():
            raise InputError("The agent is at work already.", "Wait for it, or stop it with Esc.")

    async def _remember(self, text: str) -> None:
        """Tell the agent something. At once: it must know of it also when its turn is stopped at once."""
        await self.host.session.agent_memory.add_items([clipped({"role": "user", "content": text})])

    async def _take_turn(
        self, begin: Callable[[TurnRunner], AsyncGenerator[TurnEvent, None]]
    ) -> AsyncGenerator[TurnEvent, None]:
        self._only_one()
        async with self._turn:
            if self._runner is None:
                yield Activity("getting ready")
                module: Any = await asyncio.to_thread(importlib.import_module, "dsbuilder_tui.agent.turn")
                self._runner = module.TurnRunner(self.host, self._given_model)
            failed: ExitCode | None = None
            async with aclosing(begin(self._runner)) as stream:
                async for part in stream:
                    failed = part.exit_code if isinstance(part, TurnFailed) else failed
                    yield part
            if await self.waiting() is None:
                await compact(self.host.session)
            missing = await missing_plan(self.host.session, failed=failed, refused=self._runner.refused)
            if missing is not None:
                if missing.needs_notice:
                    yield await self.host.session.chat.add(MessageRole.DSBUILDER, f"! {missing.text}", NoticeContent())
                yield missing
