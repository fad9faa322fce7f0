"""Values in a script as far as it says them itself: objects, lists, texts, calls, and functions that give back a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dsbuilder_tui.sources.target.script_tokens import ScriptToken, TokenKind

_DEEPEST = 40
_MOST_PARTS = 100  # of a sum
_MOST_STATEMENTS = 400  # tokens of a function in which its `return` is looked for
_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_ENDS = frozenset((",", ";", *_CLOSING))
_GOES_ON = frozenset(("+", "?", ":", "&&", "||", "??", ".", "?.", "*", "/", "-", "=", "=>", "<", ">", "|", "&", "!"))
_BEFORE = frozenset(("new", "await", "async", "return", "export", "default", "typeof", "yield"))


@dataclass(slots=True)
class ScriptValue:
    """A value that is not further known, and the base of those that are. ``line`` is where it begins."""

    line: int


@dataclass(slots=True)
class TextValue(ScriptValue):
    text: str
    holes: tuple[str, ...] = ()


@dataclass(slots=True)
class NameValue(ScriptValue):
    """``systemPrompt``, ``prompts.system``"""

    path: tuple[str, ...]


@dataclass(slots=True)
class ListValue(ScriptValue):
    items: list[ScriptValue] = field(default_factory=list)


@dataclass(slots=True)
class ObjectValue(ScriptValue):
    fields: dict[str, ScriptValue] = field(default_factory=dict)


@dataclass(slots=True)
class SumValue(ScriptValue):
    parts: list[ScriptValue] = field(default_factory=list)


@dataclass(slots=True)
class FunctionValue(ScriptValue):
    returned: ScriptValue


@dataclass(slots=True)
class CallValue(ScriptValue):
    """``z.string().optional()``: ``path`` and ``arguments`` of the first call, and the calls on what it gives back."""

    path: tuple[str, ...]
    arguments: list[ScriptValue] = field(default_factory=list)
    chain: list[tuple[str, list[ScriptValue]]] = field(default_factory=list)


class ScriptParser:
    """Reads the value that begins at a token; each token's value once, however often it is asked for."""

    def __init__(self, tokens: list[ScriptToken]) -> None:
        self._tokens = tokens
        self._ends = _brackets(tokens)
        self._skips = _terminators(tokens, self._ends)
        self._known: dict[int, tuple[ScriptValue, int]] = {}
        self._first: dict[int, tuple[ScriptValue, int]] = {}

    def sign(self, at: int) -> str:
        """The sign at a place; nothing where something else stands, or nothing."""
        token = self._tokens[at] if 0 <= at < len(self._tokens) else None
        return token.text if token is not None and token.kind is TokenKind.SIGN else ""

    def name(self, at: int) -> str:
        """The name at a place; nothing where something else stands, or nothing."""
        token = self._tokens[at] if 0 <= at < len(self._tokens) else None
        return token.text if token is not None and token.kind is TokenKind.NAME else ""

    def begins_call(self, at: int) -> bool:
        """Whether a call begins at a place, as far as the next few tokens show."""
        while self.name(at) and self.sign(at + 1) in (".", "?."):
            at += 2
        return self.sign(at + 1) in ("(", "<")

    def value(self, at: int, depth: int = 0) -> tuple[ScriptValue, int]:
        """The value at a place, and the place behind it."""
        if at >= len(self._tokens) or depth > _DEEPEST:
            return ScriptValue(0), self._skip(at)
        if at not in self._known:
            self._known[at] = ScriptValue(self._tokens[at].line), at + 1  # a value within itself is not known
            self._known[at] = self._value(at, depth)
        return self._known[at]

    def members(self, brace: int) -> ObjectValue:
        """The members of an ``enum {…}`` that have a value."""
        found = ObjectValue(self._tokens[brace].line)
        for at in range(brace + 1, self._ends.get(brace, brace)):
            if self.name(at) and self.sign(at + 1) == "=":
                found.fields[self.name(at)] = self.value(at + 2)[0]
        return found

    def _value(self, at: int, depth: int) -> tuple[ScriptValue, int]:
        start = at
        while self.name(at) in _BEFORE:
            at += 1
        found, behind = self._primary(at, depth)
        parts = [found]
        while self.sign(behind) == "+" and len(parts) < _MOST_PARTS:
            more, behind = self._primary(behind + 1, depth)
            parts.append(more)
        if len(parts) > 1:
            found = SumValue(found.line, parts)
        if self.name(behind) in ("as", "satisfies") or self.sign(behind) in ("??", "||", "!"):
            return found, self._skip(behind)
        if self.sign(behind) in _GOES_ON:
            return ScriptValue(self._tokens[start].line), self._skip(behind)
        return found, behind

    def _primary(self, at: int, depth: int) -> tuple[ScriptValue, int]:
        if at >= len(self._tokens):
            return ScriptValue(0), at
        if at not in self._first:
            self._first[at] = self._read(at, depth)
        return self._first[at]

    def _read(self, at: int, depth: int) -> tuple[ScriptValue, int]:
        token = self._tokens[at]
        function = self._function(at, depth)
        if function is not None:
            return function
        if token.kind in (TokenKind.TEXT, TokenKind.TEMPLATE):
            return self._with_calls(TextValue(token.line, token.text, token.holes), at + 1, depth)
        if token.kind is TokenKind.NAME:
            return self._named(at, depth)
        if token.kind is TokenKind.SIGN and token.text == "{":
            return self._object(at, depth)
        if token.kind is TokenKind.SIGN and token.text == "[":
            items, behind = self._items(at, depth)
            return self._with_calls(ListValue(token.line, items), behind, depth)
        if token.kind is TokenKind.SIGN and token.text == "(" and at in self._ends:
            inner, _ = self.value(at + 1, depth + 1)
            return inner, self._ends[at] + 1
        return ScriptValue(token.line), self._skip(at) if token.text in _OPENING else at + 1

    def _named(self, at: int, depth: int) -> tuple[ScriptValue, int]:
        line, path = self._tokens[at].line, [self.name(at)]
        at += 1
        while self.sign(at) in (".", "?.") and self.name(at + 1):
            path.append(self.name(at + 1))
            at += 2
        if self.sign(at) == "<":  # new Agent<Context>({…})
            at = self._behind_types(at)
        if at < len(self._tokens) and self._tokens[at].kind is TokenKind.TEMPLATE:  # dedent`…`
            token = self._tokens[at]
            return self._with_calls(TextValue(token.line, token.text, token.holes), at + 1, depth)
        if self.sign(at) != "(":
            return NameValue(line, tuple(path)), at
        arguments, at = self._items(at, depth)
        return self._with_calls(CallValue(line, tuple(path), arguments), at, depth)

    def _with_calls(self, value: ScriptValue, at: int, depth: int) -> tuple[ScriptValue, int]:
        """The value with the calls on it: ``.trim()`` leaves a text what it is, ``["a", "b"].join(" ")`` is one."""
        while self.sign(at) in (".", "?.") and self.name(at + 1):
            name, behind = self.name(at + 1), at + 2
            arguments: list[ScriptValue] = []
            if self.sign(behind) == "(":
                arguments, behind = self._items(behind, depth)
            if isinstance(value, CallValue):
                value.chain.append((name, arguments))
            elif isinstance(value, ListValue) and name == "join":
                glue = arguments[0] if arguments else TextValue(value.line, ",")
                value = SumValue(value.line, [part for item in value.items for part in (glue, item)][1:])
            at = behind
        return value, at

    def _items(self, at: int, depth: int) -> tuple[list[ScriptValue], int]:
        """The values between brackets, and the place behind the closing one."""
        end = self._ends.get(at, len(self._tokens))
        items: list[ScriptValue] = []
        at += 1
        while at < end:
            if self.sign(at) in (",", "..."):
                at += 1
                continue
            item, behind = self.value(at, depth + 1)
            items.append(item)
            at = max(at + 1, behind if self.sign(behind) == "," or behind >= end else self._skip(behind))
        return items, end + 1

    def _object(self, at: int, depth: int) -> tuple[ScriptValue, int]:
        end = self._ends.get(at, len(self._tokens))
        found = ObjectValue(self._tokens[at].line)
        at += 1
        while at < end:
            key = self._tokens[at]
            if (
                key.kind is TokenKind.NAME
                and key.text in ("async", "get", "set")
                and self.sign(at + 1) not in (":", ",", "(")
            ):
                at += 1
                continue
            if key.kind in (TokenKind.NAME, TokenKind.TEXT) and self.sign(at + 1) == ":":
                value, behind = self.value(at + 2, depth + 1)
                found.fields.setdefault(key.text, value)
                at = behind if self.sign(behind) == "," or behind >= end else self._skip(behind)
            elif key.kind is TokenKind.NAME and (self.sign(at + 1) == "," or at + 1 == end):
                found.fields.setdefault(key.text, NameValue(key.line, (key.text,)))
                at += 1
            elif key.kind in (TokenKind.NAME, TokenKind.TEXT) and self.sign(at + 1) == "(":
                found.fields.setdefault(key.text, ScriptValue(key.line))  # a method
                at = self._skip(at)
            else:
                at = self._skip(at)
            at += 1
        return found, end + 1

    def _function(self, at: int, depth: int) -> tuple[ScriptValue, int] | None:
        """``(ctx) => `…```, ``ctx => {…}``, ``function (ctx) {…}``: what it gives back; None where none begins."""
        line = self._tokens[at].line
        if self.name(at) == "function":
            return self.body(at, depth)
        behind = at + 1
        if self.sign(at) == "(" and at in self._ends:
            behind = self._ends[at] + 1
            if self.sign(behind) == ":":  # its type
                behind = next(
                    (n for n in range(behind, min(behind + 12, len(self._tokens))) if self.sign(n) == "=>"), behind
                )
        elif not self.name(at):
            return None
        if self.sign(behind) != "=>":
            return None
        if self.sign(behind + 1) == "{":
            return FunctionValue(line, self._returned(behind + 1, depth)), self._skip(behind + 1)
        value, end = self.value(behind + 1, depth + 1)
        return FunctionValue(line, value), end

    def body(self, at: int, depth: int = 0) -> tuple[ScriptValue, int]:
        """What a function gives back whose parameters begin somewhere behind this place."""
        line = self._tokens[at].line
        opening = next((n for n in range(at, min(at + 6, len(self._tokens))) if self.sign(n) == "("), None)
        closing = self._ends.get(opening) if opening is not None else None
        if closing is None:
            return ScriptValue(line), at + 1
        brace = next((n for n in range(closing, min(closing + 20, len(self._tokens))) if self.sign(n) == "{"), None)
        if brace is None:
            return ScriptValue(line), closing + 1
        return FunctionValue(line, self._returned(brace, depth)), self._ends.get(brace, len(self._tokens)) + 1

    def _returned(self, brace: int, depth: int) -> ScriptValue:
        for at in range(brace + 1, min(self._ends.get(brace, len(self._tokens)), brace + _MOST_STATEMENTS)):
            if self.name(at) == "return":
                value, _ = self.value(at + 1, depth + 1)
                if isinstance(value, TextValue | SumValue | NameValue | CallValue):
                    return value
        return ScriptValue(self._tokens[brace].line)

    def _behind_types(self, at: int) -> int:
        depth = 0
        for n in range(at, min(at + 60, len(self._tokens))):
            depth += (self.sign(n) == "<") - (self.sign(n) == ">")
            if not depth:
                return n + 1 if self.sign(n + 1) == "(" else at
        return at

    def _skip(self, at: int) -> int:
        """The place of the comma, the semicolon or the closing bracket that ends what stands here."""
        return self._skips[min(at, len(self._tokens))]


def parts_of(value: ScriptValue) -> Iterator[ScriptValue]:
    """What a value directly holds."""
    match value:
        case ListValue(items=items):
            yield from items
        case ObjectValue(fields=fields):
            yield from fields.values()
        case CallValue(arguments=arguments):
            yield from arguments
        case _:
            return


def _terminators(tokens: list[ScriptToken], ends: dict[int, int]) -> list[int]:
    """For each place, and the one behind the last, where the value ends that stands there."""
    out = [len(tokens)] * (len(tokens) + 1)
    for at in range(len(tokens) - 1, -1, -1):
        sign = tokens[at].text if tokens[at].kind is TokenKind.SIGN else ""
        if sign in _ENDS:
            out[at] = at
        else:
            out[at] = out[ends[at] + 1 if at in ends else len(tokens) if sign in _OPENING else at + 1]
    return out


def _brackets(tokens: list[ScriptToken]) -> dict[int, int]:
    """Where each bracket closes; one that never does is left out, one that was never opened is passed over."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind is not TokenKind.SIGN:
            continue
        if token.text in _OPENING:
            opened.append(at)
        elif token.text in _CLOSING:
            kind = next((n for n in range(len(opened) - 1, max(-1, len(opened) - 5), -1)
                         if _OPENING[tokens[opened[n]].text] == token.text), None)  # fmt: skip
            if kind is not None:
                ends[opened[kind]] = at
                del opened[kind:]
    return ends
