"""Secrets taken out of a text that comes in pieces."""

from __future__ import annotations

HIDDEN = "[hidden]"


def hide(text: str, forms: tuple[str, ...]) -> str:
    """The text with ``[hidden]`` in place of each of the forms."""
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


class StreamRedactor:
    """Takes secrets out of a text that comes in pieces: what may be the beginning of one waits for the next piece."""

    def __init__(self, forms: tuple[str, ...]) -> None:
        self._forms, self._held = forms, ""

    def hide(self, text: str) -> str:
        """A text that is whole, without the secrets."""
        return hide(text, self._forms)

    def take(self, piece: str) -> str:
        """What can be shown after this piece."""
        text = self.hide(self._held + piece)
        waits = max((_overlap(text, form) for form in self._forms), default=0)
        self._held = text[len(text) - waits :]
        return text[: len(text) - waits]

    def rest(self) -> str:
        """What still waited when the text came to its end."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, form: str) -> int:
    """How many characters at the end of the text are the beginning of the form."""
    return next((n for n in range(min(len(form) - 1, len(text)), 0, -1) if text.endswith(form[:n])), 0)
