"""Secrets taken out of a text, as they are and in the forms that somebody may echo them in."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
_LEAST_INSIDE = 12  # characters of base64 in the midst of a longer one that are taken for a secret


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each secret as it is, quoted for JSON, Python, HTML or a URL, in hex and in base64; the longest first."""
    found: dict[str, None] = {}
    for secret in secrets:
        raw = secret.encode("utf-8", "surrogatepass")
        quoted = [quote(raw, safe=""), quote(raw), quote_plus(raw)]
        quoted += [quote(text, safe="") for text in quoted]  # a part of an address inside of another
        lower = [re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), text) for text in quoted]
        every = ["".join(f"%{byte:02{case}}" for byte in raw) for case in "xX"]
        encoded = [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
        forms = [secret, *quoted, *lower, *every, *encoded, *(text.rstrip("=") for text in encoded), *_inside(raw)]
        forms += [raw.hex(), raw.hex().upper(), raw.hex(":"), raw.hex(" "), html.escape(secret)]
        forms += [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]]
        found |= dict.fromkeys(forms)
    return tuple(sorted(found, key=len, reverse=True))


def _inside(raw: bytes) -> list[str]:
    """What base64 makes of a secret wherever it stands in a longer text: the characters that nothing else decides."""
    found = []
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).decode()
        own = text[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        if len(own) >= _LEAST_INSIDE:
            found += [own, own.replace("+", "-").replace("/", "_")]
    return found


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
