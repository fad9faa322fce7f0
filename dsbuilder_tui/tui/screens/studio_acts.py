"""What a person can have the studio do: slash commands, the plan card, run and pause, the screens behind the keys."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from textual.widgets import TextArea

from dsbuilder_tui.agent.monitor import Note
from dsbuilder_tui.agent.plan_card import card_data
from dsbuilder_tui.agent.turn_events import TurnEvent
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.history import Approval
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.tui import commands
from dsbuilder_tui.tui.commands import COMMANDS, Command
from dsbuilder_tui.tui.palette import COLOURS
from dsbuilder_tui.tui.screens.doors import Doors
from dsbuilder_tui.tui.watched import Watched
from dsbuilder_tui.tui.widgets.chat import Card, PlanCard, QuestionCard, ToolLine
from dsbuilder_tui.tui.widgets.conversation import ConversationPane
from dsbuilder_tui.tui.widgets.prompt import Prompt
from dsbuilder_tui.wording import cost_words, eta_words, rate_words

_KINDS = ("jsonl", "json", "csv", "parquet")


class StudioActs(Doors):
    """The half of the studio screen that acts; the other half shows."""

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self.spoken_to = False  # the person has talked with the agent in this session
        self._prepared = False
        self._notes: deque[Note] = deque()

    # The conversation

    async def on_conversation_pane_said(self, event: ConversationPane.Said) -> None:
        if event.text.startswith("/"):
            try:
                command, argument = commands.parse(event.text)
                await self.obey(command, argument)
            except DsbuilderError as error:
                await self.live.tell(f"✗ {error}", "error")
            return
        self.respond(self.live.talk.say(event.text, event.pastes))

    def respond(self, parts: AsyncGenerator[TurnEvent, None]) -> None:
        """Let the agent take a turn."""
        self.query_one(ConversationPane).take_turn(parts, self.watched.now)

    def on_conversation_pane_turn_ended(self) -> None:
        if (reference := self.live.next_session) is not None:
            self.live.next_session = None
            self.studio.attempt(self.studio.change_to(reference))
        elif self._notes:
            self.respond(self.live.talk.note(self._notes.popleft()))

    def take_note(self, note: Note) -> None:
        """The engine has something for the agent to say, now or when its turn is over; not to people who never spoke to it."""
        if not self.spoken_to:
            return
        self._notes.append(note)
        if not self.query_one(ConversationPane).answering:
            self.respond(self.live.talk.note(self._notes.popleft()))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if not self._prepared and event.text_area.text.lstrip()[:1] not in ("", "/") and not self.watched.replaying:
            self._prepared = True  # it takes seconds: begun while the person types
            self.background(self.live.talk.prepare, group="prepare")

    def _argument_choices(self, command: Command) -> list[str]:
        session = self.watched.session
        if command.name == "cases":
            return [category.name for category in session.plan.categories]
        if command.name == "export":
            return [f"{session.id}.{kind}" for kind in _KINDS] + [f"{session.id}_checkpoint.json"]
        if command.name == "model":
            return [session.config.worker_model, session.config.model]
        return []

    async def obey(self, command: Command, argument: str = "") -> None:
        """Carry out a slash command. Raises ``DsbuilderError`` in words for the conversation."""
        handler = getattr(self, f"_do_{command.name}")
        await handler(argument)

    async def _do_plan(self, argument: str) -> None:
        if argument.casefold().startswith("edit"):
            self.edit_plan()
            return
        if argument:
            raise InputError(f"/plan {argument[:40]} is not known.", "/plan shows the plan, /plan edit changes it.")
        await self.show_plan()

    async def show_plan(self, before: Any = None) -> None:
        session = self.live.session
        session.require_plan()
        data = card_data(session.plan, session.plans.revision, before)
        await session.chat.add("dsbuilder", f"plan · rev {session.plans.revision}", "plan", data)

    def action_details(self) -> None:
        """Open or close what is behind all tool lines."""
        lines = list(self.query(ToolLine))
        wanted = not any(line.opened for line in lines)
        for line in lines:
            line.set_open(wanted)

    async def _do_run(self, argument: str) -> None:
        self.begin_run()

    _do_resume = _do_run

    async def _do_pause(self, argument: str) -> None:
        if not self.live.running:
            raise InputError("Nothing is running.", "/run begins or goes on.")
        self.live.pause()

    async def _do_retry(self, argument: str) -> None:
        count = await self.live.session.cases.retry_exhausted()
        if not count:
            raise InputError("No slot was given up on.", "/status says where the session stands.")
        await self.live.reread()
        await self.live.tell(f"✓ {counted(count, 'slot')} open again")
        self.begin_run()

    async def _do_status(self, argument: str) -> None:
        summary = await self.live.session.summary()
        view = self.live.view
        if not self.live.session.planned:
            await self.live.tell(f"**{summary.dataset_name}** has no plan yet. Folder: `{summary.path}`", "command")
            return
        words = [
            f"**{summary.dataset_name}**: {summary.instances_created:,} of {summary.total_instances_planned:,} cases "
            f"({summary.progress_percentage} %), {view.state}.",
            "",
            "| category | planned | accepted | rejected | given up |",
            "|---|--:|--:|--:|--:|",
        ]
        for name, c in summary.categories.items():
            words.append(f"| {name} | {c['planned']} | {c['accepted']} | {c['rejected']} | {c['exhausted']} |")
        stages = ", ".join(f"{stage} {count}" for stage, count in summary.rejections.items()) or "none"
        words += ["", f"Rejections by stage: {stages}. Checkpoints: {summary.checkpoints}."]
        pace = [part for part in (rate_words(view), eta_words(view)) if part] if view.busy else []
        if pace:
            words.append(f"{', '.join(pace)}.")
        if spent := cost_words(summary.cost):
            words.append(f"Cost: {spent}.")
        words.append(f"Folder: `{summary.path}`")
        await self.live.session.chat.add("dsbuilder", "\n".join(words), "command")

    async def _do_checkpoint(self, argument: str) -> None:
        point = await self.live.session.checkpoints.save(argument or "asked")
        if not self.live.running:
            self.live.note_point(point)
        await self.live.tell(f"✓ Checkpoint {point.id} at {counted(point.accepted, 'case')}")

    async def _do_export(self, argument: str) -> None:
        session = self.live.session
        session.require_plan()
        target = Path(argument).expanduser() if argument else session.dataset_path

        async def write() -> None:
            try:
                count = await session.export(target, private=target.parent == session.folder)
            except DsbuilderError as error:
                await self.live.tell(f"✗ {error}", "error")
            else:
                await self.live.tell(f"✓ Wrote {counted(count, 'case')} to {target.absolute()}")

        self.run_worker(write(), exit_on_error=False, group="export")

    async def _do_model(self, argument: str) -> None:
        live = self.live
        config = live.session.config
        main, _, name = argument.partition(" ")
        whose = ("model", "Main agent", name.strip()) if main == "main" else ("worker_model", "Workers", argument)
        if not whose[2]:
            agent, workers = live.models.split(" › ")
            await live.tell(
                f"Main agent: {agent}. Workers: {workers}. /model NAME chooses the workers', /model main NAME the agent's; "
                "F1 → settings for the endpoint and the key."
            )
            return
        field, words, chosen = whose
        await self.studio.change_session(live, {field: chosen})
        later = ", from the next run on" if live.running and field == "worker_model" else ""
        if provider_of(config).model_name is not None:
            later += "; no endpoint is connected yet, so what is built in does it still"
        await live.tell(f"✓ {words}: {chosen}{later}")

    async def _do_budget(self, argument: str) -> None:
        live = self.live
        if argument:
            wanted = argument.removeprefix("$").casefold()
            try:
                if wanted != "off" and not 0 < float(wanted) < float("inf"):
                    raise ValueError
            except ValueError:
                raise InputError(f"/budget {argument[:20]} is not a sum.", "Write dollars, or off.") from None
            if "budget" in self.studio.flags:  # what was said last counts, also against a flag of the start
                await self.studio.use_settings({"budget": wanted})
            else:
                await self.studio.change_session(live, {"budget": wanted})
        budget = live.session.config.budget
        spending = await live.session.costs.spending()
        spent = ("at least " if spending.dollars is None else "") + dollar_words(spending.known_dollars)
        limit = f"the budget is {dollar_words(budget)}" if budget is not None else "there is no budget"
        await live.tell(f"{'✓ ' if argument else ''}Spent so far: {spent}; {limit}.")

    async def _do_pace(self, argument: str) -> None:
        live = self.live
        if argument:
            try:
                pace = 0.0 if argument.casefold() in ("off", "none", "max") else float(argument)
            except ValueError:
                pace = -1.0
            if not 0 <= pace < 1e6:
                raise InputError(f"/pace {argument[:20]} is not a number.", "Write cases a second, or off.")
            live.set_pace(pace)
        words = f"{live.pace:g} cases a second" if live.pace else "as fast as it goes"
        await live.tell(f"✓ The built-in writer's pace: {words}")

    async def _do_theme(self, argument: str) -> None:
        if argument not in COLOURS:
            raise InputError(f"There is no theme {argument[:20]!r}.", f"There are: {', '.join(COLOURS)}.")
        self.studio.choose_theme(argument)

    async def _do_settings(self, argument: str) -> None:
        self.studio.action_settings()

    async def _do_home(self, argument: str) -> None:
        self.studio.action_home()

    async def _do_help(self, argument: str) -> None:
        rows = "\n".join(f"| `/{c.name}` {c.argument.replace('|', '/')} | {c.words} |" for c in COMMANDS)
        await self.live.session.chat.add(
            "dsbuilder", f"| command | what it does |\n|---|---|\n{rows}\n\n**F1** shows the keys.", "command"
        )

    async def _do_quit(self, argument: str) -> None:
        self.studio.action_leave()

    # Plan and run

    async def on_plan_card_answered(self, event: PlanCard.Answered) -> None:
        event.stop()
        approval = await self._asked(event.card.call)
        if event.answer == "ask":
            prompt = self.query_one(Prompt)
            prompt.fill(prompt.text or ("" if approval else "Change the plan: "))
            prompt.focus()
        elif event.answer == "edit":
            self.edit_plan(approval)
        elif approval is not None:
            self._answer(approval, yes=True)
        else:
            self.begin_run()

    async def on_question_card_answered(self, event: QuestionCard.Answered) -> None:
        event.stop()
        if (approval := await self._asked(event.card.call)) is not None:
            self._answer(approval, yes=event.yes)

    async def _asked(self, call: str) -> Approval | None:
        """The open question of a card."""
        waiting = await self.live.talk.waiting() if call else None
        return waiting if waiting is not None and waiting.call_id == call else None

    def _answer(self, approval: Approval, *, yes: bool, plan: DatasetPlanInput | None = None) -> None:
        if self.query_one(ConversationPane).answering:
            self.studio.say("The agent is still at work; answer when it is done, or stop it with Esc.")
            return
        self.spoken_to = True
        self.query_one(Prompt).focus()
        self.respond(self.live.talk.answer(approval, yes=yes, plan=plan))

    def begin_run(self) -> None:
        """Start or resume; what stands in the way is said in the conversation."""
        try:
            self.live.session.require_plan()
            if self.live.view.state == "finished":
                raise InputError(
                    "All slots are settled already.",
                    "/export writes the dataset, /retry tries slots given up on again.",
                )
            self.live.start()
        except DsbuilderError as error:
            self.run_worker(self.live.tell(f"✗ {error}", "error"), exit_on_error=False)

    def action_toggle_run(self) -> None:
        if self.watched.view.state == "pausing":
            self.live.session.drop_in_flight()
        elif self.live.running:
            self.live.pause()
        else:
            self.begin_run()

    def to_prompt_if_card(self) -> None:
        """A card that is answered has no use for the keys any more."""
        if isinstance(self.focused, Card) and self.focused.state != "open":
            self.query_one(Prompt).focus()

    def focus_card(self) -> None:
        """Give the keys to the question that waits, unless the person is typing or elsewhere."""
        prompt = self.query_one(Prompt)
        if self.focused in (prompt, None) and not prompt.text:
            self.focus_first()

    def focus_first(self) -> None:
        """Where the person most likely goes on: an open plan card, else the prompt."""
        prompt = self.query_one(Prompt)
        open_cards = [card for card in self.query(Card) if card.state == "open"]
        (open_cards[-1] if open_cards and not prompt.text else prompt).focus()

    def edit_plan(self, approval: Approval | None = None) -> None:
        """Open the plan, or the one that the agent proposes, in an editor dialog; what is saved there is in force."""
        from dsbuilder_tui.tui.screens.plan_editor import PlanEditor

        live, session = self.live, self.live.session
        before = session.plan
        if approval is None and live.running:
            raise InputError("The plan cannot be changed while the run is going on.", "Pause first (^P).")
        shown = before if approval is None else parse_plan(approval.data["plan"], "the proposal")

        async def take(plan: DatasetPlanInput | None) -> None:
            if plan is None or (approval is None and plan == before):
                return
            if approval is not None:
                self._answer(approval, yes=True, plan=plan)
                return
            first = not session.planned
            await session.plans.revise(plan)
            if first:
                await session.take_name_of_plan()
            await live.reread()
            await self.show_plan(None if first else before)
            self.call_after_refresh(self.focus_first)

        config = session.config
        if approval is not None:  # a yes may raise the limit
            config = config.model_copy(update={"max_dataset_size": max(config.max_dataset_size, shown.total_instances)})
        self.studio.push_screen(PlanEditor(shown, config), lambda plan: self.studio.attempt(take(plan)))

    # Replay

    def action_replay_pause(self) -> None:
        self.player.halt(not self.player.halted)
        self.refresh_bindings()

    def action_replay_speed(self, factor: float) -> None:
        self.player.set_speed(self.player.speed * factor)

    def action_replay_end(self) -> None:
        self.player.skip_to_end()
