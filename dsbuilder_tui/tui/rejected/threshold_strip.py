"""The strip on which a threshold is moved; what it would turn around follows at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import WhatIf
from dsbuilder_tui.tui.paint.line import Line, wrap
from dsbuilder_tui.tui.rejected.threshold_paint import draft, no_threshold, strip
from dsbuilder_tui.tui.widgets.line_view import LineView

_DEBOUNCE = 0.05  # seconds: a key that is held down asks once
_LOWEST, _HIGHEST = 1, 100  # hundredths

Ask = Callable[[Stage, float, str | None], Awaitable[WhatIf]]


class ThresholdStrip(LineView):
    """One threshold. ``ask(stage, threshold, category)`` counts; a stage that has none is told in a sentence."""

    ACTS: ClassVar[frozenset[str]] = frozenset({"tell"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "lower", key_display="←"),
        Binding("right,l", "move(1)", "higher", key_display="→"),
        Binding("shift+left,H", "move(-5)", "lower by 0.05", key_display="⇧←", show=False),
        Binding("shift+right,L", "move(5)", "higher by 0.05", key_display="⇧→", show=False),
        Binding("enter", "tell", "ask the agent for it"),
    ]

    class TellAgent(Message):
        """The person wants this threshold; ``words`` ask for it."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, ask: Ask, *, id: str | None = None) -> None:
        super().__init__(self._lines_of, id=id)
        self.display = False
        self._ask = ask
        self._stage: Stage | None = None
        self._without = ""  # why there is no threshold
        self._category: str | None = None
        self._now = self.threshold = 0.0
        self.found: WhatIf | None = None

    def begin(self, stage: Stage, now: float, category: str | None) -> None:
        """Show a stage, from the threshold that is in force."""
        self._stage, self._now, self._category, self._without = stage, now, category, ""
        self.threshold, self.found = now, None
        self._open()
        self.again()

    def explain(self, stage: str) -> None:
        """Say why a stage has no threshold."""
        self._stage, self._without, self.found = None, no_threshold(stage), None
        self._open()

    def again(self) -> None:
        """Count again: the threshold was moved, or more was decided."""
        if self.display and self._stage is not None:
            count: Any = self._count  # the function: one that is overtaken before it begins is not even created
            self.run_worker(count, group="what-if", exclusive=True)

    def close(self) -> None:
        self.display = False

    def _open(self) -> None:
        self.display = True
        self.focus()
        self.renew()
        self.screen.refresh_bindings()

    async def _count(self) -> None:
        await asyncio.sleep(_DEBOUNCE)
        assert self._stage is not None
        found = await self.services.guarded(self._ask(self._stage, self.threshold, self._category))
        if found is not None:
            self.found = found
            self.renew(keep=True)

    def _lines_of(self, width: int) -> Sequence[Line]:
        if self._stage is None:
            return [(), *(((row, "muted"),) for row in wrap(self._without, width))]
        # What was counted for another threshold stays in view until the new numbers are here: they name theirs.
        return strip(self._stage, self._now, self.threshold, self._category, self.found, width)

    def action_move(self, hundredths: int) -> None:
        moved = max(_LOWEST, min(_HIGHEST, round(self.threshold * 100) + hundredths)) / 100
        if moved != self.threshold:
            self.threshold = moved
            self.renew(keep=True)
            self.again()

    def action_tell(self) -> None:
        if self._stage is not None:
            self.post_message(self.TellAgent(draft(self._stage, self.threshold, self._category)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._stage is not None if action in ("move", "tell") else True
