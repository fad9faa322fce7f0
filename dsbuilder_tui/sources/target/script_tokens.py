"""JavaScript and TypeScript as tokens: strings, templates, names and signs; comments and regular expressions are passed over.

What is no valid script gives tokens too: nothing is refused, and every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

MOST_TOKENS = 100_000
_DEEPEST = 8  # templates within templates
_SPACE = re.compile(r"\s*+(?://[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?|\s++)*+")
_NAME = re.compile(r"[^\W\d][\w$]*+|[$#@][\w$]*+")
_NUMBER = re.compile(r"\d[\w.]*+")
_STRING = re.compile(r"'((?:[^'\\\n]|\\[\s\S])*+)'|\"((?:[^\"\\\n]|\\[\s\S])*+)\"")
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,200}+\]){1,400}+/[a-z]*+")
_SIGN = re.compile(r"=>|===?|!==?|\?\?=?|\?\.|\.\.\.|&&|\|\||[+*/-]=|[\s\S]")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r?\n)|([\s\S]))")
_NAMED_ESCAPES = {"n": "\n", "t": "\t", "r": "\n", "b": "", "f": "", "v": "", "0": ""}
_BEFORE_A_REGEX = set("(,=:[!&|?{};+") | {"=>", "==", "===", "&&", "||", "??", "return"}


class TokenKind(Enum):
    """What a token is."""

    TEXT = "text"  # a string, without its quotation marks
    TEMPLATE = "template"  # a template literal: its text, with the names of what it holds in braces
    NAME = "name"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class ScriptToken:
    """One token; ``new_line`` says that it is the first of its line."""

    kind: TokenKind
    text: str
    line: int
    new_line: bool = False
    holes: tuple[str, ...] = ()  # of a template: the names it holds, or nothing where it holds more than a name


def script_tokens(source: str) -> list[ScriptToken]:
    """The tokens of a script, at most ``MOST_TOKENS``."""
    tokens: list[ScriptToken] = []
    at, line = 0, 1
    while len(tokens) < MOST_TOKENS:
        space = _SPACE.match(source, at)
        start = space.end() if space else at
        breaks = source.count("\n", at, start)
        line, first = line + breaks, breaks > 0 or not tokens
        if start >= len(source):
            break
        token, at = _token(source, start, line, first, tokens[-1] if tokens else None)
        if token is not None:
            tokens.append(token)
        line += source.count("\n", start, at)
    return tokens


def _token(source: str, at: int, line: int, first: bool, before: ScriptToken | None) -> tuple[ScriptToken | None, int]:
    if found := _STRING.match(source, at):
        return ScriptToken(TokenKind.TEXT, _unescaped(found[1] or found[2] or ""), line, first), found.end()
    if source[at] == "`":
        text, holes, end = _template(source, at + 1)
        return ScriptToken(TokenKind.TEMPLATE, text, line, first, holes), end
    if found := _NAME.match(source, at):
        return ScriptToken(TokenKind.NAME, found.group(), line, first), found.end()
    if found := _NUMBER.match(source, at):
        return ScriptToken(TokenKind.NUMBER, found.group(), line, first), found.end()
    if source[at] == "/" and (before is None or before.text in _BEFORE_A_REGEX) and (found := _REGEX.match(source, at)):
        return None, found.end()
    found = _SIGN.match(source, at)
    end = found.end() if found else at + 1
    return ScriptToken(TokenKind.SIGN, source[at:end], line, first), end


def _template(source: str, at: int) -> tuple[str, tuple[str, ...], int]:
    """A template literal behind its first backtick: text with ``{name}`` for what it holds, those names, where it ends."""
    parts: list[str] = []
    holes: list[str] = []
    start = at
    while at < len(source):
        sign = source[at]
        if sign == "\\":
            at += 2
        elif sign == "`":
            break
        elif source.startswith("${", at):
            parts.append(_unescaped(source[start:at]))
            end = _end_of_hole(source, at + 2)
            inner = source[at + 2 : end].strip()
            name = inner.split(".")[-1] if re.fullmatch(r"[\w$]+(?:\??\.[\w$]+){0,8}", inner) else ""
            holes.append(inner if name == inner else "")
            parts.append("{" + (name or "…") + "}")
            at = start = end + 1
        else:
            at += 1
    parts.append(_unescaped(source[start:at]))
    return "".join(parts), tuple(holes), min(at + 1, len(source))


def _end_of_hole(source: str, at: int) -> int:
    """Where the brace closes that ``${`` opened; strings and templates in between count as one thing."""
    depth, templates = 0, 0
    while at < len(source):
        sign = source[at]
        if found := _STRING.match(source, at):
            at = found.end()
            continue
        if sign == "`" and templates < _DEEPEST:
            at = _end_of_template(source, at + 1)
            templates += 1
            continue
        if sign == "}" and not depth:
            break
        depth += (sign == "{") - (sign == "}")
        at += 1
    return at


def _end_of_template(source: str, at: int) -> int:
    """Behind the backtick that ends a template within a template; what that holds is not looked at."""
    while at < len(source) and source[at] != "`":
        at += 2 if source[at] == "\\" else 1
    return at + 1


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0xD800 or 0xDFFF < number <= 0x10FFFF else "\ufffd"
    return "" if found[4] else _NAMED_ESCAPES.get(found[5], found[5])
