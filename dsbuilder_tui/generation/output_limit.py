"""How many tokens a worker's answer may take: what its cases need, and what the model thinks before it writes them."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Usage

_AROUND = 100  # tokens of brackets and names around the cases
_MOST_THOUGHTS = 64 * 1024
_GROWTH = 3  # times the limit that was not enough
_SHARE_OF_THOUGHTS = 0.2  # of an answer that was cut off, from which on it was not the cases that were too many


class OutputLimit:
    """Learns how much room a model needs for its thoughts. One instance a run, since all calls tell the same."""

    def __init__(self, tokens_per_case: int) -> None:
        self._case = tokens_per_case
        self._thoughts = 0

    def tokens(self, cases: int) -> int:
        """The limit of an answer with so many cases."""
        return self._case * cases + _AROUND + self._thoughts

    def learn(self, usage: Usage, *, cases: int, limit: int, cut: bool, written: int, thought: int) -> bool:
        """Take in an answer. Returns whether a call like it gets a larger limit from now on.

        ``cases`` were asked for under ``limit`` tokens; ``written`` and ``thought`` are the characters of its answer and of
        thoughts apart from it.
        """
        spent = usage.reasoning_tokens or usage.completion_tokens * thought // max(1, written + thought)
        if not cut:
            self._thoughts = max(self._thoughts, min(_MOST_THOUGHTS, spent * 3 // 2))
            return False
        total = max(usage.completion_tokens, spent, 1)
        silent = written == 0 and not spent  # it was cut off before a word, so it had been thinking
        if silent or cases == 1 or spent >= total * _SHARE_OF_THOUGHTS:
            self._thoughts = max(self._thoughts, min(_MOST_THOUGHTS, max(2 * spent, _GROWTH * limit)))
        return self.tokens(cases) > limit
