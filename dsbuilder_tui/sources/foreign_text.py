"""Text out of foreign files, as it may be kept and shown: cleaned, and without keys."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.sanitise import one_line, visible, whole_characters

HIDDEN = "(hidden)"
# Runs of one alphabet start at a boundary only, so that a hostile file cannot make these slow.
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:sk-|[srp]k_(?:live|test)_)[A-Za-z0-9_\-]{16,}"
    r"|(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|hf_|xox[abeprs]-|AIza|whsec_)[A-Za-z0-9_\-]{16,}"
    r"|(?<![\w\-])eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?P<name>(?:key|token|secret|passwd|password|pwd|authorization)[\"']?[ \t]*[:=][ \t]*"
    r"(?:\w{1,20}[ \t]*=[ \t]*)?[\"']?(?:(?:bearer|basic)[ \t]+)?)(?P<value>[A-Za-z0-9+/_\-.=~]{8,})"
    r"|(?P<bearer>\bbearer[ \t]+)(?P<carried>[A-Za-z0-9+/_\-.=~]{16,})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)")


def label(name: str) -> str:
    """A name out of a foreign file, on one line: a file's, a tool's."""
    return one_line(kept(name), 160)


def kept(text: str) -> str:
    """Foreign text as it may be kept and shown: whole characters, plain line ends, no control characters, no keys."""
    text = whole_characters(text).replace("\r\n", "\n").replace("\r", "\n")
    return visible(without_keys(text))


def without_keys(text: str) -> str:
    """The text with whatever looks like a key, a token or a password as ``(hidden)``."""
    return _IN_ADDRESS.sub(rf"\1{HIDDEN}", _NAMED.sub(_hide, _KEYS.sub(HIDDEN, text)))


def _hide(found: re.Match[str]) -> str:
    if found["bearer"]:
        return found["bearer"] + HIDDEN if _random(found["carried"]) else found.group()
    return found["name"] + HIDDEN if _random(found["value"]) else found.group()


def _random(value: str) -> bool:
    """Whether a value is no word: long, or letters and digits mixed."""
    return len(value) >= 32 or (any(c.isdigit() for c in value) and any(c.isalpha() for c in value))


def decoded(raw: bytes) -> str | None:
    """The text of a file, UTF-8 or UTF-16 with its mark; None when it is neither, or binary."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
