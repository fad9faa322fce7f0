"""What a person can have the studio do: slash commands, the plan card, run and pause, the screens behind the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.words import counted
from dsbuilder_tui.tui import commands
from dsbuilder_tui.tui.commands import COMMANDS, Command
from dsbuilder_tui.tui.paint.card import card_data
from dsbuilder_tui.tui.palette import COLOURS
from dsbuilder_tui.tui.screens.base import Watching
from dsbuilder_tui.tui.widgets.chat import PlanCard
from dsbuilder_tui.tui.widgets.conversation import Conversation
from dsbuilder_tui.tui.widgets.prompt import Prompt
from dsbuilder_tui.wording import eta_words, rate_words, tokens_words

_KINDS = ("jsonl", "json", "csv", "parquet")


class StudioActs(Watching):
    """The half of the studio screen that acts; the other half shows."""

    # The conversation

    async def on_conversation_said(self, event: Conversation.Said) -> None:
        if event.text.startswith("/"):
            try:
                command, argument = commands.parse(event.text)
                await self.obey(command, argument)
            except DsbuilderError as error:
                await self.live.tell(f"✗ {error}", "error")
            return
        session = self.live.session
        data = {"pastes": {str(n): text for n, text in event.pastes.items()}} if event.pastes else None
        try:
            await session.add_message("person", event.text, "text", data)
        except DsbuilderError as error:
            self.studio.complain(error)
        whole = event.text
        for text in event.pastes.values():
            whole += f"\n\n{text}"

        responder = self.studio.responder
        role = getattr(responder, "role", "agent")

        async def save(answer: str) -> None:
            await session.add_message(role, answer, "text")

        self.query_one(Conversation).answer(responder.respond(whole, session), save, self.watched.now, role)

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
        data = card_data(session.plan, session.plan_revision, before)
        await session.add_message("dsbuilder", f"plan · rev {session.plan_revision}", "plan", data)

    async def _do_run(self, argument: str) -> None:
        self.begin_run()

    _do_resume = _do_run

    async def _do_pause(self, argument: str) -> None:
        if not self.live.running:
            raise InputError("Nothing is running.", "/run begins or goes on.")
        self.live.pause()

    async def _do_retry(self, argument: str) -> None:
        count = await self.live.session.retry_exhausted()
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
        tokens = tokens_words(view)
        extra = ", ".join([*pace, *([tokens] if tokens else [])])
        if extra:
            words.append(f"{extra}.")
        words.append(f"Folder: `{summary.path}`")
        await self.live.session.add_message("dsbuilder", "\n".join(words), "command")

    async def _do_checkpoint(self, argument: str) -> None:
        point = await self.live.session.checkpoint(argument or "asked")
        if not self.live.running:
            self.live.note_point(point)
        await self.live.tell(f"✓ Checkpoint {point.id} at {counted(point.accepted, 'case')}")

    async def _do_cases(self, argument: str) -> None:
        self.action_cases(argument)

    async def _do_checkpoints(self, argument: str) -> None:
        self.action_checkpoints()

    async def _do_rejected(self, argument: str) -> None:
        self.action_rejected()

    async def _do_workers(self, argument: str) -> None:
        self.action_workers()

    async def _do_export(self, argument: str) -> None:
        session = self.live.session
        session.require_plan()
        target = Path(argument).expanduser() if argument else session.out or session.folder / f"{session.id}.jsonl"

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
        if not argument:
            await live.tell(
                f"Workers: {live.models}. /model NAME chooses another; F1 → settings for the endpoint and the key."
            )
            return
        await self.studio.change_session(live, {"worker_model": argument})
        later = ", from the next run on" if live.running else ""
        if config.resolved_provider == "offline":
            later += "; no endpoint is connected yet, so the built-in writer still writes"
        await live.tell(f"✓ Workers: {argument}{later}")

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
        await self.live.session.add_message(
            "dsbuilder", f"| command | what it does |\n|---|---|\n{rows}\n\n**F1** shows the keys.", "command"
        )

    async def _do_quit(self, argument: str) -> None:
        self.studio.action_leave()

    # Plan and run

    async def on_plan_card_answered(self, event: PlanCard.Answered) -> None:
        event.stop()
        if event.answer == "approve":
            self.begin_run()
        elif event.answer == "edit":
            self.edit_plan()
        else:
            prompt = self.query_one(Prompt)
            prompt.fill(prompt.text or "Change the plan: ")
            prompt.focus()

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
        if isinstance(self.focused, PlanCard) and self.focused.state != "open":
            self.query_one(Prompt).focus()

    def focus_first(self) -> None:
        """Where the person most likely goes on: an open plan card, else the prompt."""
        prompt = self.query_one(Prompt)
        if self.watched.session.draft:
            prompt.fill(self.watched.session.draft)
        open_cards = [card for card in self.query(PlanCard) if card.state == "open"]
        (open_cards[-1] if open_cards and not prompt.text else prompt).focus()

    def edit_plan(self) -> None:
        """Open the plan in an editor dialog, and take the new revision in."""
        from dsbuilder_tui.tui.screens.plan_editor import PlanEditor

        if self.live.running:
            raise InputError("The plan cannot be changed while the run is going on.", "Pause first (^P).")
        session = self.live.session
        before = session.plan

        async def take(plan: Any) -> None:
            if plan is None or plan == before:
                return
            await session.revise_plan(plan)
            await self.live.reread()
            await self.show_plan(before if before.decided else None)
            self.call_after_refresh(self.focus_first)

        self.studio.push_screen(PlanEditor(session.plan, session.config), lambda plan: self.studio.attempt(take(plan)))

    # Screens

    def action_cases(self, words: str = "") -> None:
        from dsbuilder_tui.tui.screens.cases import CasesScreen

        self.studio.push_screen(CasesScreen(self.watched, words))

    def action_checkpoints(self) -> None:
        from dsbuilder_tui.tui.screens.checkpoints import CheckpointsScreen

        self.studio.push_screen(CheckpointsScreen(self.watched))

    def action_rejected(self) -> None:
        from dsbuilder_tui.tui.screens.rejected import RejectedScreen

        self.studio.push_screen(RejectedScreen(self.watched))

    def action_workers(self) -> None:
        from dsbuilder_tui.tui.screens.workers import WorkersScreen

        self.studio.push_screen(WorkersScreen(self.watched))

    # Replay

    def action_replay_pause(self) -> None:
        self.player.halt(not self.player.halted)
        self.refresh_bindings()

    def action_replay_speed(self, factor: float) -> None:
        self.player.set_speed(self.player.speed * factor)

    def action_replay_end(self) -> None:
        self.player.skip_to_end()
