"""Cards of the conversation that wait for an answer: a plan, or a question of the agent.

No letter answers one: Enter on the focused choice does, a click, or a chord that no sentence holds. What is pressed while
a card is new is meant for the prompt, and stays there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.timer import Timer

from dsbuilder_tui.domain.message import PlanContent, QuestionContent
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.plan_card_paint import CardSamples, card_height, plan_card, question_card
from dsbuilder_tui.tui.widgets.painted import Painted

CardContent = PlanContent | QuestionContent
TALL = 36  # rows of a terminal from which on the card of a plan is open
# Seconds after its arrival in which nothing answers a card: whoever types looks at the card later than it is there.
GRACE = 0.7


class CardAnswer(StrEnum):
    """What can be done with a card."""

    YES = "yes"
    OTHER = "other"  # no, or something else than what is proposed
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """An answer, and the words it goes by on a card."""

    answer: CardAnswer
    words: str


class Card(Painted, can_focus=True):
    """What waits for the person's answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "the chosen answer"),
        Binding("left", "step(-1)", "the answer before", show=False),
        Binding("right", "step(1)", "the next answer", show=False),
    ]
    choices: ClassVar[tuple[CardChoice, ...]] = ()

    class Answered(TextualMessage):
        """The person has chosen an answer."""

        def __init__(self, card: Card, answer: CardAnswer) -> None:
            super().__init__()
            self.card, self.answer = card, answer

    def __init__(self, content: CardContent, state: CardState, height: int) -> None:
        super().__init__(classes="plan-card")
        self.content, self.state = content, state
        self.chosen = 0
        self.lit = False  # whether it is shown that Enter answers it
        self._held_since: float | None = None  # None until it was seen
        self._timer: Timer | None = None
        self.styles.height = height
        self.can_focus = state is CardState.OPEN

    @property
    def call(self) -> str:
        """Which question of the agent this is; empty for a plan that nobody asks about."""
        return self.content.call

    def set_state(self, state: CardState) -> None:
        if state is not self.state:
            self.state = state
            self.repaint()
            self.can_focus = state is CardState.OPEN

    def ready(self, pressed_at: float) -> bool:
        """Whether what was pressed then, on the app's clock, can have been meant for this card."""
        return self._held_since is not None and pressed_at - self._held_since >= GRACE

    def hold(self) -> None:
        """Begin the time anew in which nothing answers it: the keys have come to it unasked."""
        self._held_since = self.services.clock.monotonic()
        self._light_in_time()

    def _light_in_time(self) -> None:
        self.lit = False
        self.repaint()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(GRACE, self._light)

    def _light(self) -> None:
        self.lit = True
        self.repaint()

    def render_line(self, y: int) -> Strip:
        if self._held_since is None and self.state is CardState.OPEN:
            self._held_since = self.services.clock.monotonic()  # at once; the rest is no part of drawing
            self.call_later(self._light_in_time)
        return super().render_line(y)

    def _card(self, width: int) -> list[Line]:
        return []

    def paint(self, width: int, height: int) -> Sequence[Line]:
        lines = self._card(width)
        if len(lines) != height:  # it is as high as its text takes in the width it has got
            self.styles.height = len(lines)
        return lines

    @property
    def _marked(self) -> int | None:
        return self.chosen if self.has_focus and self.lit else None

    def step(self, step: int) -> bool:
        """Go to another choice; says whether there was one that way."""
        place = self.chosen + step
        if self.state is not CardState.OPEN or not 0 <= place < len(self.choices):
            return False
        self.chosen = place
        self.repaint()
        return True

    def action_step(self, step: int) -> None:
        self.step(step)

    def action_choose(self) -> None:
        self.answer(self.choices[self.chosen].answer)

    def action_answer(self, place: int) -> None:
        """A choice was clicked."""
        self.chosen = place
        self.repaint()
        self._give(self.choices[place].answer, self.services.clock.monotonic())

    def answer(self, answer: CardAnswer) -> None:
        """Give an answer, unless it was pressed before the card could be seen."""
        self._give(answer, self.services.pressed_at)

    def _give(self, answer: CardAnswer, at: float) -> None:
        if self.state is CardState.OPEN and self.ready(at):
            self.post_message(self.Answered(self, answer))

    def words_of(self, answer: CardAnswer) -> str:
        """What an answer is called on this card; empty when it has none such."""
        return next((choice.words for choice in self.choices if choice.answer is answer), "")


class PlanCard(Card):
    """A plan to approve, to edit or to have changed."""

    choices = (
        CardChoice(CardAnswer.YES, "approve"),
        CardChoice(CardAnswer.EDIT, "edit"),
        CardChoice(CardAnswer.OTHER, "change"),
    )

    def __init__(self, plan: PlanContent, state: CardState = CardState.OPEN) -> None:
        super().__init__(plan, state, card_height(plan))
        self.plan = plan
        self._opened: bool | None = None  # None: as the terminal has room
        self._samples: CardSamples | None = None

    def show_samples(self, samples: CardSamples | None) -> None:
        """Show these samples of the plan, or none any more."""
        self._samples = samples
        self.styles.height = len(self._card(max(20, self.size.width)))
        self.repaint()

    @property
    def opened(self) -> bool:
        """Whether it shows all that the plan says."""
        if self._opened is None:
            return self.state is CardState.OPEN and self.screen.size.height >= TALL
        return self._opened

    def set_open(self, opened: bool) -> None:
        """Show all that the plan says, or the gist of it."""
        self._opened = opened
        self.styles.height = len(self._card(max(20, self.size.width)))
        self.repaint()

    def action_unfold(self) -> None:
        self.set_open(not self.opened)

    def _card(self, width: int) -> list[Line]:
        words = [choice.words for choice in self.choices]
        return plan_card(
            self.plan,
            width,
            state=self.state,
            choices=words,
            marked=self._marked,
            focused=self.has_focus,
            folded=not self.opened,
            samples=self._samples,
        )


class QuestionCard(Card):
    """A question that needs a yes or a no before the agent goes on."""

    choices = (CardChoice(CardAnswer.YES, "yes"), CardChoice(CardAnswer.OTHER, "no"))

    def __init__(self, text: str, question: QuestionContent, state: CardState = CardState.OPEN) -> None:
        super().__init__(question, state, 4)
        self.text = text

    def _card(self, width: int) -> list[Line]:
        words = [choice.words for choice in self.choices]
        return question_card(
            self.text, width, state=self.state, choices=words, marked=self._marked, focused=self.has_focus
        )
