"""The main screen: the conversation beside the plan, the workers, the checkpoints and what was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import TextArea

from dsbuilder_tui.agent.monitor import Monitor
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.events import (
    ApprovalAsked,
    ApprovalDecided,
    CaseAccepted,
    CaseRejected,
    Event,
    MessageAdded,
    PlanRevised,
    RunFinished,
    RunPaused,
    RunPausing,
    RunStarted,
)
from dsbuilder_tui.domain.message import ErrorContent, Message, MessageRole, QuestionContent
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.case_actions import CaseActions
from dsbuilder_tui.tui.commands import completions, parse
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.registry import session_screens
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.studio.actions import StudioActions
from dsbuilder_tui.tui.studio.card_keys import CardKeys
from dsbuilder_tui.tui.studio.card_state import CardState, card_state
from dsbuilder_tui.tui.studio.cards import Card, CardAnswer, CardContent, PlanCard
from dsbuilder_tui.tui.studio.chat import FoldedLine
from dsbuilder_tui.tui.studio.completion import Completion
from dsbuilder_tui.tui.studio.conversation_pane import ConversationPane
from dsbuilder_tui.tui.studio.coverage_panel import CoveragePanel
from dsbuilder_tui.tui.studio.newest_cases import CaseAct, NewestCases
from dsbuilder_tui.tui.studio.paint import watching_lines
from dsbuilder_tui.tui.studio.panels import CheckpointsPanel, Panel, PlanPanel, RejectedPanel, WorkersPanel
from dsbuilder_tui.tui.studio.panes import TAB_NAMES, Panes
from dsbuilder_tui.tui.studio.path_completion import PathCompletion, with_paths_named
from dsbuilder_tui.tui.studio.plan_sampling import PlanSampling
from dsbuilder_tui.tui.studio.preparation import Preparation
from dsbuilder_tui.tui.studio.prompt import Prompt
from dsbuilder_tui.tui.widgets.chrome import KeyBar, Tabs

if TYPE_CHECKING:
    from dsbuilder_tui.tui.followed_session import FollowedSession
    from dsbuilder_tui.tui.watched import Watched

_OF_CASES = (CaseAccepted, CaseRejected)  # what comes by the hundreds a second


class StudioScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    ACTS: ClassVar[frozenset[str]] = frozenset({"toggle_run", "answer_card"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "escape", "stop, or to the prompt", show=False),
        Binding("ctrl+p", "toggle_run", "pause", priority=True),
        Binding("ctrl+y", "answer_card('yes')", "yes, to a card", priority=True),
        Binding("ctrl+n", "answer_card('other')", "no, or something else", priority=True),
        Binding("ctrl+k", "app.command_palette", "palette", priority=True),
        *(Binding(row.key, f"show('{row.name}')", row.name, priority=True) for row in session_screens()),
        Binding("ctrl+o", "details", "what tools did, in full", show=False, priority=True),
        Binding("tab", "next_pane(1)", "next panel", show=False),
        Binding("down,up", "enter_pane", "into the tab that is shown", show=False),
        Binding("shift+tab", "next_pane(-1)", "panel before", show=False, priority=True),
        Binding("space", "replay_pause", "play or stop", show=False),
        Binding("plus,equals_sign", "replay_speed(2)", "faster", show=False),
        Binding("minus", "replay_speed(0.5)", "slower", show=False),
        Binding("end", "replay_end", "to the end", show=False),
        Binding("o", "take_over", "open it here"),
        Binding("ctrl+q", "app.leave", "quit", priority=True),
    ]

    def __init__(self, watched: Watched, messages: Sequence[Message] = ()) -> None:
        super().__init__(watched)
        self._messages = messages
        self._told_of: DsbuilderError | None = None
        self._approved = 0  # the newest plan revision that a run was started with
        self._decisions: dict[str, CardState] = {}  # of the agent's questions, by call
        self._watch = Monitor()
        self.preparation = Preparation(self)
        self.actions = StudioActions(self)
        self.cards = CardKeys(self)
        self.samples = PlanSampling(self)
        self.panes = Panes(self)
        self.acts = CaseActions(self, self.flush)
        self.newest = NewestCases(watched, self.repaint_soon)
        self._coverage = CoveragePanel("coverage", watched)
        self._paths = PathCompletion(Path(), self._find_choices)

    def compose(self) -> ComposeResult:
        yield self.top_line()
        yield Tabs(TAB_NAMES, self.panes.counts)
        with Horizontal(id="body"):
            yield ConversationPane(self._choices, readonly=not self.watched.acts, below=self._standing)
            with Container(id="panels"):
                with Vertical(id="progress"):
                    yield PlanPanel("plan", self.watched)
                    yield WorkersPanel("workers", self.watched)
                    yield self._coverage
                    yield CheckpointsPanel("checkpoints", self.watched)
                with Vertical(id="made"):
                    yield self.newest
                    yield RejectedPanel("rejected", self.watched)
        yield KeyBar()

    def on_mount(self) -> None:
        self.panes.arrange()
        self.background(self._open, group="open")

    async def _open(self) -> None:
        try:
            await self._show_first()
        finally:
            self.opened.set()

    async def _show_first(self) -> None:
        self._approved = self.watched.view.revision if self.watched.view.state is not RunState.IDLE else 0
        if not self.watched.replaying:
            self._decisions = {a.call_id: card_state(a.decision) for a in await self.watched.session.approvals.newest()}
            self.actions.spoken_to = any(message.role == MessageRole.PERSON for message in self._messages)
        await self.conversation.open(self._messages, self._card_state)
        self.background(self.conversation.draw, group="chat")
        if not self.watched.acts:
            self.panes.focus_first()
            self.watched.begin()
        else:
            if draft := self.watched.session.chat.draft:
                self.query_one(Prompt).fill(draft)
            self._go_to_work(bool(draft))
            self.samples.follow()
            self.preparation.for_runs()

    def _go_to_work(self, has_draft: bool) -> None:
        """Begin where the person most likely goes on: with a card, the prompt, or what a finished session has made."""
        finished = self.watched.view.state is RunState.FINISHED
        if finished and not self.panes.wide and not has_draft and self.cards.open_card is None:
            self.panes.show_made()
        else:
            self.cards.focus_first()

    @property
    def conversation(self) -> ConversationPane:
        return self.query_one(ConversationPane)

    def _choices(self, text: str) -> list[Completion]:
        commands = [Completion(text, text, words) for text, words in completions(text, self.watched.session)]
        return commands or self._paths.choices(text)

    def _find_choices(self) -> None:
        if self.is_mounted:
            for prompt in self.query(Prompt):
                prompt.find_choices()

    # What happens

    def heard(self, event: Event) -> None:
        self.newest.heard(event)
        self._coverage.heard(event)
        if (note := self._watch.feed(event)) is not None:
            self.call_later(self.actions.take_note, note)
        if not isinstance(event, _OF_CASES):
            self._heard_seldom(event)

    def _heard_seldom(self, event: Event) -> None:
        """What does not come with every case."""
        if isinstance(event, MessageAdded):
            self.actions.spoken_to = self.actions.spoken_to or event.message.role == MessageRole.PERSON
            self.conversation.post(event)
        if isinstance(event, ApprovalAsked | ApprovalDecided):
            state = card_state(event.decision) if isinstance(event, ApprovalDecided) else CardState.OPEN
            self._decisions[event.call_id] = state
            self.call_later(self._show_decisions)
        if isinstance(event, RunStarted | PlanRevised | RunPausing | RunPaused | RunFinished):
            if isinstance(event, RunStarted):
                self._approved = self.watched.view.revision
            self.call_later(self._changed_course, event)
        elif type(event) is Event:
            self.refresh_bindings()
            self.conversation.renew_standing()
            error = self.watched.error
            if error is not None and error is not self._told_of:
                self._told_of = error
                self.call_later(self.services.call_attention, "The run stopped and needs you", severity="error")

    def _show_decisions(self) -> None:
        self.conversation.set_cards(self._card_state)
        self.samples.follow()
        self.cards.leave_answered()
        if CardState.OPEN in self._decisions.values():
            self.cards.offer()
            self.refresh_bindings()

    def _changed_course(self, event: Event) -> None:
        self.conversation.set_cards(self._card_state)
        self.cards.leave_answered()
        self.refresh_bindings()
        self.panes.arrange()
        if isinstance(event, RunStarted):
            self.preparation.for_answers()  # later it would hold up the keys of whoever asks while cases come
        if isinstance(event, RunFinished):
            self.services.call_attention(f"Finished: {event.accepted:,} of {counted(event.planned, 'case')}")

    def on_conversation_pane_card_shown(self) -> None:
        if not self.gone:
            self.cards.offer()
            self.samples.follow()

    def _card_state(self, content: CardContent) -> CardState:
        if content.call or isinstance(content, QuestionContent):
            return self._decisions.get(content.call, CardState.OLDER)
        if content.revision < self.watched.view.revision:
            return CardState.OLDER
        approved = self._approved >= content.revision or not self.watched.acts
        return CardState.APPROVED if approved else CardState.OPEN

    # How it is laid out

    def on_resize(self, event: events.Resize) -> None:
        self.panes.arrange()

    def flush(self) -> None:
        self.panes.renew()
        super().flush()
        self.newest.renew()

    def action_tab(self, index: int) -> None:
        self.panes.show_tab(index)

    def action_next_pane(self, step: int) -> None:
        self.panes.step(step)

    def action_enter_pane(self) -> None:
        self.panes.enter()

    def focus_next(self, selector: Any = "*") -> Any:
        if not self.panes.wide and self.focused is not None and isinstance(self.focused, Prompt):
            self.panes.show_tab(1)
            return self.focused
        return super().focus_next(selector)

    def to_prompt(self) -> None:
        self.panes.restore()
        if self.panes.on_tab:
            self.panes.show_tab(0)
        elif self.watched.acts:
            self.set_focus(self.query_one(Prompt))  # at once: the next letter is for it

    def action_escape(self) -> None:
        if not self.watched.acts or not self.conversation.stop_answer():
            self._step_back()

    def _step_back(self) -> None:
        """From a panel to the prompt; where there is none, to the list of sessions."""
        if self.followed is None or self.panes.on_tab:
            self.to_prompt()
        elif not self.panes.restore():
            self.services.action_home()

    def on_prompt_escaped(self, event: Prompt.Escaped) -> None:
        self.conversation.stop_answer()

    def on_prompt_rested(self, event: Prompt.Rested) -> None:
        session = self.watched.session
        # Else it is being closed, or replayed.
        if self.services.live is self.watched and event.text != session.chat.draft:
            self.services.attempt(session.chat.save_draft(event.text))

    # What is done

    async def on_conversation_pane_said(self, event: ConversationPane.Said) -> None:
        if event.text.startswith("/"):
            try:
                command, argument = parse(event.text)
                await self.actions.obey(command, argument)
            except DsbuilderError as error:
                await self.live.tell(f"✗ {error}", ErrorContent())
            return
        self.actions.respond(self.live.talk.say(with_paths_named(event.text, Path()), event.pastes))

    def on_conversation_pane_turn_ended(self) -> None:
        if not self.gone:
            self.actions.turn_ended()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if event.text_area.text.lstrip()[:1] not in ("", "/"):
            self.preparation.for_answers()

    def action_details(self) -> None:
        """Open or close what is behind all tool lines and plans."""
        lines, cards = self.query(FoldedLine), self.query(PlanCard)
        wanted = not any(line.opened for line in (lines or cards))  # a card may be open because there is room
        for line in (*lines, *cards):
            line.set_open(wanted)

    async def on_card_answered(self, event: Card.Answered) -> None:
        event.stop()
        await self.cards.carry_out(event.card, event.answer)

    def on_prompt_undo_asked(self, event: Prompt.UndoAsked) -> None:
        if self.watched.acts:
            self.services.attempt(self.actions.take_steps(1, redo=event.redo))

    def on_prompt_passed(self) -> None:
        self.cards.enter_card()

    def action_answer_card(self, answer: str) -> None:
        self.cards.chord(CardAnswer(answer))

    def direct(self, event: events.Key | events.Paste) -> None:
        if self.watched.acts and self.opened.is_set():
            self.cards.direct(event)

    def opens_goto(self, event: events.Key) -> bool:
        prompt = self.focused
        return event.character == ":" and isinstance(prompt, Prompt) and prompt.rests_empty

    def on_prompt_goto_asked(self, event: Prompt.GotoAsked) -> None:
        prompt = self.query_one(Prompt)
        typed = prompt.text.removeprefix(":")
        prompt.fill("")
        self.services.navigator.ask(typed, ":")

    @property
    def followed(self) -> FollowedSession | None:
        """The session as it is watched, None where it is not."""
        from dsbuilder_tui.tui.followed_session import FollowedSession

        return self.watched if isinstance(self.watched, FollowedSession) else None

    def _standing(self) -> Sequence[Line]:
        """What stands where the prompt is otherwise."""
        return watching_lines(self.followed.owner, self.watched.error) if self.followed is not None else ()

    def action_take_over(self) -> None:
        """Open the session here that another window has left."""
        self.services.attempt(self.services.watching.take_over(), opens=True)

    def action_replay_pause(self) -> None:
        self.player.halt(not self.player.halted)
        self.refresh_bindings()

    def action_replay_speed(self, factor: float) -> None:
        self.player.set_speed(self.player.speed * factor)

    def action_replay_end(self) -> None:
        self.player.skip_to_end()

    def action_toggle_run(self) -> None:
        self.actions.toggle_run()

    def action_show(self, name: str) -> None:
        self.actions.open_screen(name)

    def on_panel_size_asked(self, event: Panel.SizeAsked) -> None:
        self.panes.maximise(event.panel)

    def on_panel_screen_asked(self, event: Panel.ScreenAsked) -> None:
        self.actions.open_screen(event.screen)

    def on_panel_left(self) -> None:
        self._step_back()

    def on_newest_cases_behind_asked(self, event: NewestCases.BehindAsked) -> None:
        self.actions.open_screen(event.screen)

    def on_newest_cases_list_left(self) -> None:
        self._step_back()

    def on_newest_cases_act_asked(self, event: NewestCases.ActAsked) -> None:
        match event.act:
            case CaseAct.PIN:
                self.acts.pin(event.case)
            case CaseAct.WITHDRAW:
                self.acts.ask_withdraw(event.case)
            case CaseAct.EDIT | CaseAct.OPEN:
                self.actions.open_screen("cases", "", event.case, event.act is CaseAct.EDIT)

    def take_draft(self, text: str) -> bool:
        if self.refuse():
            return True
        self.query_one(Prompt).fill(text)
        self.call_later(self.to_prompt)
        return True

    def take_typed(self, sent: Sequence[str], text: str) -> None:
        if self.watched.acts:
            self.query_one(Prompt).take(sent, text)
            self.to_prompt()

    async def finish(self) -> None:
        if not self.is_mounted:
            return  # it is on its way: nothing goes on in it, and nothing was typed
        await self.samples.stop()
        await self.conversation.finish()
        if self.watched.acts:
            await self.watched.session.chat.save_draft(self.query_one(Prompt).whole)

    # Keys

    def key_words(self, binding: Binding) -> str:
        view = self.watched.view
        if binding.action == "enter" and isinstance(self.focused, Panel):
            if self.focused.alone and self.focused.opens:
                return "open"
            return "restore" if self.focused.maximised else "maximise"
        if binding.action == "choose" and isinstance(self.focused, Card):
            return ""  # it is on the card
        if binding.action == "choose" and isinstance(self.focused, NewestCases):
            return self.focused.enter_words
        if binding.action.startswith("answer_card"):
            return self.cards.words_of(CardAnswer.YES if binding.key == "ctrl+y" else CardAnswer.OTHER)
        if binding.key == "ctrl+p":
            if view.state is RunState.PAUSING:
                return "drop in flight"
            if not view.planned:
                return ""
            resume = "resume" if view.accepted or view.state is RunState.PAUSED else "start"
            return "pause" if view.busy else "" if view.state is RunState.FINISHED else resume
        if self.watched.replaying:
            extra = {
                "space": "play" if self.player.halted else "stop",
                "plus": "faster",
                "minus": "slower",
                "end": "to the end",
            }
            return extra.get(binding.key, binding.description)
        return binding.description

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action.startswith("replay_"):
            return self.watched.replaying
        if action == "take_over":
            return self.followed is not None and self.followed.owner is None
        if action in self.ACTS:
            return self.watched.acts
        return True
