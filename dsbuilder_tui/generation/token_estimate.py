"""How many tokens a call has used when its endpoint did not say: it was cut off, ended early, or reports none."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Usage

_CHARACTERS = 4.0  # a token, before anything is known


class TokenEstimate:
    """Learns characters a token from the calls whose usage is known. One instance for each model."""

    def __init__(self) -> None:
        self._prompt = self._answer = (0, 0)  # characters, tokens

    def learn(self, usage: Usage, *, prompt: int, answer: int) -> None:
        """Take in what an endpoint said of texts with so many characters, thoughts included."""
        if usage.known and usage.prompt_tokens and usage.completion_tokens:
            self._prompt = self._prompt[0] + prompt, self._prompt[1] + usage.prompt_tokens
            self._answer = self._answer[0] + answer, self._answer[1] + usage.completion_tokens

    def usage(self, *, prompt: int, answer: int) -> Usage:
        """What a call with so many characters has probably used."""
        return Usage(_tokens(prompt, self._prompt), _tokens(answer, self._answer), estimated=True)


def _tokens(characters: int, seen: tuple[int, int]) -> int:
    each = seen[0] / seen[1] if seen[0] and seen[1] else _CHARACTERS
    return round(characters / each)
