"""The acts that a person can have the studio do: slash commands, the plan, run and pause."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.agent.monitor import Note
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.agent.turn_events import TurnEvent
from dsbuilder_tui.domain.approval import Approval, PlanApproval
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.message import ErrorContent, MessageRole
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.session.acting import one_step
from dsbuilder_tui.tui.studio.conversation_pane import ConversationPane
from dsbuilder_tui.tui.studio.prompt import Prompt
from dsbuilder_tui.tui.undo_actions import follow_settings, take_steps

if TYPE_CHECKING:
    from dsbuilder_tui.tui.live_session import LiveSession
    from dsbuilder_tui.tui.services import AppServices
    from dsbuilder_tui.tui.slash_command import SlashCommand
    from dsbuilder_tui.tui.studio.screen import StudioScreen


class StudioActions:
    """What is done with the session of a studio screen, whether a key, a command or a card asks for it."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen
        self.spoken_to = False  # the person has talked with the agent in this session
        self._notes: deque[Note] = deque()
        self._answered = ""  # the call whose card was answered last

    @property
    def live(self) -> LiveSession:
        """The session at work. Raises ``InputError`` in a replay."""
        return self._screen.live

    @property
    def services(self) -> AppServices:
        return self._screen.services

    def open_screen(self, name: str, *given: object) -> None:
        """Show a screen about the session."""
        self.services.show_screen(name, self._screen.watched, *given)

    def turn_ended(self) -> None:
        """The agent is done: go on with what it asked for, or with what waits to be told to it."""
        if (reference := self.live.next_session) is not None:
            self.live.next_session = None
            self.services.attempt(self.services.change_to(reference))
            return
        if (words := self.live.next_review) is not None:
            self.live.next_review = None
            if not self._screen.query_one(Prompt).text:  # else somebody is typing
                self.open_screen("review", words)
        if self._notes:
            self.respond(self.live.talk.note(self._notes.popleft()))

    async def take_steps(self, steps: int, *, redo: bool) -> None:
        """Undo, or redo, some steps; the conversation says which. Raises what ``UndoLog.undo`` does."""
        result = await take_steps(self.live, steps, redo=redo)
        follow_settings(self.services, result)
        if result.stopped:
            await self.live.tell(f"· {result.stopped}")

    def in_background(self, work: Coroutine[Any, Any, None], *, group: str) -> None:
        """Do something that tells itself how it ended."""
        self._screen.run_worker(work, exit_on_error=False, group=group)

    async def obey(self, command: SlashCommand, argument: str = "") -> None:
        """Carry out a slash command. Raises ``DsbuilderError`` in words for the conversation."""
        await command.run(self, argument)

    def respond(self, parts: AsyncGenerator[TurnEvent, None]) -> None:
        """Let the agent take a turn."""
        self._screen.query_one(ConversationPane).take_turn(parts, self._screen.watched.now)

    def take_note(self, note: Note) -> None:
        """The engine has something for the agent to say, now or when its turn is over.

        Not to people who never spoke to it, nor where a session is only watched: what was said there is in its messages.
        """
        if not self.spoken_to or not self._screen.watched.acts:
            return
        self._notes.append(note)
        if not self._screen.query_one(ConversationPane).answering:
            self.respond(self.live.talk.note(self._notes.popleft()))

    async def show_plan(self, before: Any = None) -> None:
        session = self.live.session
        session.require_plan()
        card = plan_content(session.plan, session.plans.revision, before)
        await session.chat.add(MessageRole.DSBUILDER, f"plan · rev {session.plans.revision}", card)

    async def asked(self, call: str) -> Approval | None:
        """The open question of a card."""
        waiting = await self.live.talk.waiting() if call else None
        return waiting if waiting is not None and waiting.call_id == call else None

    def answer(self, approval: Approval, *, yes: bool, plan: DatasetPlanInput | None = None) -> None:
        if self._screen.query_one(ConversationPane).answering:
            if self._answered != approval.call_id:  # else it was pressed twice
                self.services.say("The agent is still at work; answer when it is done, or stop it with Esc.")
            return
        self._answered = approval.call_id
        self.spoken_to = True
        self._screen.query_one(Prompt).focus()
        self.respond(self.live.talk.answer(approval, yes=yes, plan=plan))

    def begin_run(self) -> None:
        """Start or resume; what stands in the way is said in the conversation."""
        try:
            self.live.session.require_plan()
            if self.live.view.state is RunState.FINISHED and not self.live.session.verdicts.whole:
                raise InputError(
                    "All slots are settled already.",
                    "/export writes the dataset, /retry tries exhausted slots again.",
                )
            self.live.start()
        except DsbuilderError as error:
            self._screen.run_worker(self.live.tell(f"✗ {error}", ErrorContent()), exit_on_error=False)

    def toggle_run(self) -> None:
        if self._screen.watched.view.state is RunState.PAUSING:
            self.live.session.drop_in_flight()
        elif self.live.running:
            self.live.pause()
        else:
            self.begin_run()

    def edit_plan(self, approval: Approval | None = None) -> None:
        """Open the plan, or the one that the agent proposes, in an editor dialog; what is saved there is in force."""
        from dsbuilder_tui.tui.studio.plan_editor import PlanEditor

        if any(isinstance(screen, PlanEditor) for screen in self._screen.app.screen_stack):
            return
        live, session = self.live, self.live.session
        before = session.plan
        if approval is None and live.running:
            raise InputError("The plan cannot be changed while the run is going on.", "Pause first (^P).")
        shown = approval.request.plan if approval is not None and isinstance(approval.request, PlanApproval) else before

        async def take(plan: DatasetPlanInput | None) -> None:
            if plan is None or (approval is None and plan == before):
                return
            if approval is not None:
                self.answer(approval, yes=True, plan=plan)
                return
            first = not session.planned
            with one_step():
                await session.plans.revise(plan)
                if first:
                    await session.take_name_of_plan()
            await live.reread()
            await self.show_plan(None if first else before)
            self._screen.call_after_refresh(self._screen.cards.focus_first)

        config = session.config
        if approval is not None:  # a yes may raise the limit
            config = config.model_copy(update={"max_dataset_size": max(config.max_dataset_size, shown.total_instances)})
        self._screen.app.push_screen(PlanEditor(shown, config), lambda plan: self.services.attempt(take(plan)))
