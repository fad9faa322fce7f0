"""Where the studio's keys go between prompt and cards: letters to the prompt, always; answers to the card that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from dsbuilder_tui.domain.message import QuestionContent
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import Card, CardAnswer
from dsbuilder_tui.tui.studio.prompt import Prompt

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.screen import StudioScreen


class CardKeys:
    """Gives the keys of a studio screen to its prompt or to a card, and carries out what a card is answered."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen

    @property
    def _prompt(self) -> Prompt:
        return self._screen.query_one(Prompt)

    @property
    def open_card(self) -> Card | None:
        """The newest card that waits for an answer."""
        return next((card for card in reversed(self._screen.query(Card)) if card.state is CardState.OPEN), None)

    def words_of(self, answer: CardAnswer) -> str:
        """What an answer is called on the card that waits; empty when none does."""
        card = self.open_card
        return card.words_of(answer) if card is not None else ""

    def leave_answered(self) -> None:
        """A card that is answered has no use for the keys any more."""
        focused = self._screen.focused
        if isinstance(focused, Card) and focused.state is not CardState.OPEN:
            self._prompt.focus()

    def offer(self) -> None:
        """Give the keys to the card that waits, unless the person is typing or elsewhere."""
        if self._screen.focused in (self._prompt, None) and not self._prompt.text:
            self.focus_first()

    def focus_first(self) -> None:
        """Where the person most likely goes on: an open card, else the prompt."""
        if self._prompt.text or not self.enter_card():
            self._prompt.focus()

    def enter_card(self) -> bool:
        """Give the keys to the card that waits; says whether there is one."""
        card = self.open_card
        if card is not None and card is not self._screen.focused:
            card.hold()
            card.focus()
        return card is not None

    def chord(self, answer: CardAnswer) -> None:
        """Answer the card that waits; one that cannot be seen is shown first."""
        screen, card = self._screen, self.open_card
        if card is None:
            return
        if screen.conversation.display and screen.conversation.log_view.shows(card):
            card.answer(answer)
            return
        screen.to_prompt()
        card.scroll_visible(animate=False)
        screen.set_focus(card, scroll_visible=False)

    def direct(self, event: events.Key | events.Paste) -> None:
        """Send what types to the prompt, and whatever was pressed before the card that has the keys could be seen."""
        screen, focused = self._screen, self._screen.focused
        if isinstance(focused, Prompt):
            return
        if isinstance(focused, Card) and not focused.ready(screen.services.pressed_at):
            screen.set_focus(self._prompt)
        elif isinstance(event, events.Paste) or event.is_printable:
            bound = screen.active_bindings.get(event.key) if isinstance(event, events.Key) else None
            if bound is None or bound.node is not focused:  # a list that was entered may have letters of its own
                screen.to_prompt()

    async def carry_out(self, card: Card, answer: CardAnswer) -> None:
        """Do what a card was answered. Raises ``DsbuilderError`` in words for the person."""
        actions = self._screen.actions
        approval = await actions.asked(card.call)
        if card.call and approval is None:
            return  # answered meanwhile
        if isinstance(card.content, QuestionContent):
            if approval is not None:
                actions.answer(approval, yes=answer is CardAnswer.YES)
        elif answer is CardAnswer.OTHER:
            self._prompt.fill(self._prompt.text or ("" if approval else "Change the plan: "))
            self._prompt.focus()
        elif answer is CardAnswer.EDIT:
            actions.edit_plan(approval)
        elif approval is not None:
            actions.answer(approval, yes=True)
        else:
            actions.begin_run()
