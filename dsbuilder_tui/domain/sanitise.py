"""The one way out for foreign text: what could move a cursor or hide its direction becomes visible."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# DEL, C1, bidirectional controls, line and paragraph separators, what hides other text (zero-width spaces, tags; the
# joiners stay, emoji and some scripts need them), halves of surrogate pairs, which no terminal takes.
_HIDDEN = (
    "\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f"
)
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f{_HIDDEN}]")  # and C0, but newline and tab
# JSON writes C0 as escapes by itself; the others are escaped here, which leaves the value the same.
_UNSAFE_IN_JSON = re.compile(f"[{_HIDDEN}]")
_UNSAFE_IN_CELLS = re.compile(f"[\x00-\x1f{_HIDDEN}]")


def visible(text: str) -> str:
    """The text with control characters shown: ESC as ``␛``, C1 and bidi controls as ``<U+009B>``."""
    return _UNSAFE.sub(_shown, text)


def one_line(text: str, length: int) -> str:
    """``visible`` text on one line of at most ``length`` characters."""
    text = " ".join(visible(text).split())
    return text if len(text) <= length else text[: max(0, length - 1)] + "…"


def json_for_terminal(text: str) -> str:
    """JSON text that means the same and holds no control character."""
    return _UNSAFE_IN_JSON.sub(lambda found: json.dumps(found.group())[1:-1], text)


def bare(text: str) -> str:
    """The text without what ``visible`` would have to show, tabs and newlines too: the last net under what is drawn."""
    return _UNSAFE_IN_CELLS.sub("", text) if _UNSAFE_IN_CELLS.search(text) else text


def whole_characters(value: Any) -> Any:
    """The value with half a surrogate pair, which no UTF-8 file takes, as U+FFFD, in keys and inner values too."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {whole_characters(str(key)): whole_characters(inner) for key, inner in value.items()}
    return [whole_characters(inner) for inner in value] if isinstance(value, list | tuple) else value


def _shown(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
