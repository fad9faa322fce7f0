"""The acts of the history: each asks first, and says what stays reachable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.branch import Branch
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.branches import free_name
from dsbuilder_tui.tui.checkpoints.branch_lines import BranchLine, Selection
from dsbuilder_tui.tui.checkpoints.paint import cause_words
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.widgets.dialogs import Ask, QuestionDialog
from dsbuilder_tui.wording import clock_time

if TYPE_CHECKING:
    from dsbuilder_tui.tui.live_session import LiveSession


class HistoryActs:
    """The acts of a screen. ``look_at`` has it read the history again and show a point, or None for the same one."""

    def __init__(self, screen: SessionScreen, look_at: Callable[[Selection | None], Awaitable[None]]) -> None:
        self._screen, self._look_at = screen, look_at

    async def ask_to_travel(self, live: LiveSession, line: BranchLine, point: Checkpoint) -> None:
        """Ask whether to go back to a point, or to work on the branch at whose end it is, and do it."""
        _require_rest(live)
        branches = await live.session.branches.all()
        current = next(branch for branch in branches if branch.current)
        if point.id == line.tip.id and not line.branch.current:
            self._ask_to_switch(live, line.branch, current)
            return
        if point.id == current.tip and point.accepted == live.view.accepted:
            raise InputError("The session stands at this point already.", "← → choose another one.")
        kept = free_name(current.name, branches)
        words = (
            f"{current.name} goes on from checkpoint {point.id}: {point.accepted:,} of {counted(point.planned, 'case')}, "
            f"{cause_words(point)}, {clock_time(point.created_at)}.\n\n"
            f"What it holds now ({live.view.accepted:,} of {counted(live.view.planned, 'case')}, plan rev "
            f"{live.view.revision}) stays as the branch {kept}: it is drawn here, and Enter at its end brings all of it back. "
            "The conversation and what was paid stay as they are."
        )
        answers = [(f"go back; what is here now stays as {kept}", kept), ("… under another name", ""), ("stay", None)]

        def rewind(name: str | None) -> None:
            if name:
                self._screen.services.attempt(_rewind(live, point, name))

        def take(answer: str | None) -> None:
            if answer == "":
                words = "A branch of this name keeps what is here now."
                self._screen.ask(Ask("Name of what is left behind", words, kept), rewind)
            else:
                rewind(answer)

        self._screen.ask(QuestionDialog(f"Back to checkpoint {point.id}?", words, answers), take)

    def _ask_to_switch(self, live: LiveSession, goal: Branch, current: Branch) -> None:
        words = (
            f"{goal.name} has {goal.accepted:,} of {counted(goal.planned, 'case')}. {current.name} stays as it is, with "
            f"{live.view.accepted:,} of {counted(live.view.planned, 'case')}: Enter at its end goes back to it."
        )
        answers = [(f"work on {goal.name}", True), (f"stay on {current.name}", None)]

        def take(answer: bool | None) -> None:
            if answer:
                self._screen.services.attempt(_switch(live, goal.name))

        self._screen.ask(QuestionDialog(f"Work on {goal.name}?", words, answers), take)

    async def ask_to_fork(self, live: LiveSession, line: BranchLine, point: Checkpoint) -> None:
        """Ask how a branch is called that begins at a point, and begin it."""
        taken = [branch.name for branch in await live.session.branches.all()]

        async def fork(name: str | None) -> None:
            if name:
                branch = await live.session.branches.fork(point.id, name)
                self._screen.services.say(f"{branch.name} begins at checkpoint {point.id}. Enter works on it.")
                await self._look_at(Selection(branch.name, point.id))

        ask = Ask(
            f"Fork at checkpoint {point.id}",
            "A branch that begins here, with a plan, a model and settings that can become others. Its cases are shared, and "
            f"{line.branch.name} stays as it is. What is it called?",
            check=lambda name: f"There is a branch {name} already." if name.strip() in taken else "",
        )
        self._screen.ask(ask, lambda name: self._screen.services.attempt(fork(name)))

    async def ask_to_delete(self, live: LiveSession, line: BranchLine, point: Checkpoint) -> None:
        """Ask whether to delete the branch of a line, and do it."""
        name = line.branch.name
        if line.branch.current:
            raise InputError(f"The session is on the branch {name}.", "Enter at the end of another one works on that.")
        kept = f"Nothing is erased: “bring back branch {name}” restores it."
        words = f"{name} has {line.branch.accepted:,} of {counted(line.branch.planned, 'case')}. {kept}"

        async def delete() -> None:
            await live.session.branches.delete(name)
            self._screen.services.say(f"{name} is deleted. {kept}")
            await self._look_at(None)

        def take(answer: bool | None) -> None:
            if answer:
                self._screen.services.attempt(delete())

        answers = [(f"delete {name}", True), ("keep it", None)]
        self._screen.ask(QuestionDialog(f"Delete the branch {name}?", words, answers), take)

    async def ask_for_name(self, live: LiveSession, line: BranchLine, point: Checkpoint) -> None:
        """Ask for the name of a point, and for a note."""

        async def rename(name: str, note: str) -> None:
            await live.session.checkpoints.rename(point.id, name, note)
            await self._look_at(None)

        def take_name(name: str | None) -> None:
            if name is not None:
                ask = Ask(
                    f"Note for checkpoint {point.id}", "What should be remembered of it? It may stay empty.", point.note
                )
                self._screen.ask(
                    ask, lambda note: None if note is None else self._screen.services.attempt(rename(name, note))
                )

        ask = Ask(f"Name of checkpoint {point.id}", "`/rewind NAME` finds it again.", point.name)
        self._screen.ask(ask, take_name)


def _require_rest(live: LiveSession) -> None:
    """Raises ``InputError`` while workers write."""
    if live.running:
        raise InputError("Workers are writing on this branch.", "Pause first (Esc, ^P); all that is accepted stays.")


async def _rewind(live: LiveSession, point: Checkpoint, keep_as: str) -> None:
    _require_rest(live)
    await live.session.branches.rewind(point.id, keep_as=keep_as)


async def _switch(live: LiveSession, name: str) -> None:
    _require_rest(live)
    await live.session.branches.switch(name)
