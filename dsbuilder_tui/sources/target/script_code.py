"""Tools and prompts out of TypeScript and JavaScript: looked at token by token, tolerant of whatever cannot be read."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.sources.target.data_files import PROMPT_KEYS, is_sentence
from dsbuilder_tui.sources.target.findings import TargetFindings, is_check, make_tool
from dsbuilder_tui.sources.target.json_schemas import parameters_of, tool_of
from dsbuilder_tui.sources.target.python_names import words
from dsbuilder_tui.sources.target.script_tokens import TokenKind, script_tokens
from dsbuilder_tui.sources.target.script_values import (
    CallValue,
    FunctionValue,
    ListValue,
    NameValue,
    ObjectValue,
    ScriptParser,
    ScriptValue,
    SumValue,
    TextValue,
    parts_of,
)
from dsbuilder_tui.sources.target.zod_schemas import schema_of

_DEEPEST = 12
_LONGEST = 64 * 1024
_EFFORT = 2_000_000  # characters that names within names may cost
_PROMPT_WORDS = {"prompt", "prompts", "instruction", "instructions"}
_PROMPT_FIELDS = PROMPT_KEYS | {"system", "instruction", "statemodifier"}
_SCHEMAS = ("parameters", "inputSchema", "input_schema", "schema", "args", "input")
_MAKERS = {
    "createTool",
    "defineTool",
    "dynamicTool",
    "DynamicTool",
    "DynamicStructuredTool",
    "StructuredTool",
    "FunctionTool",
}
_METHODS = ("tool", "registerTool", "defineTool", "addTool")  # of a server: server.tool("name", "says", {…}, …)
_DECLARES = ("const", "let", "var", "static", "readonly")


def read_script(source: str, where: str, found: TargetFindings) -> None:
    """Add what a script says of tools and prompts. Nothing is refused: what cannot be read says nothing."""
    _Script(source, where, found).read()


class _Script:
    """One script, and the rules by which its values become tools and prompts."""

    def __init__(self, source: str, where: str, found: TargetFindings) -> None:
        self._where, self._found = where, found
        self._tokens = script_tokens(source)
        self._parser = ScriptParser(self._tokens)
        self._names: dict[str, ScriptValue] = {}
        self._tools: set[int] = set()  # objects and calls that were taken for a tool already
        self._effort = _EFFORT

    def read(self) -> None:
        for at, token in enumerate(self._tokens):
            if token.kind is TokenKind.NAME and (declared := self._declared(at)) is not None:
                self._names.setdefault(*declared)
        for at, token in enumerate(self._tokens):
            if token.kind is TokenKind.NAME and (declared := self._declared(at)) is not None:
                self._assigned(*declared)
            if (
                token.kind is TokenKind.NAME
                and self._parser.sign(at - 1) not in (".", "?.")
                and self._parser.begins_call(at)
            ):
                value, _ = self._parser.value(at)
                if isinstance(value, CallValue):
                    self._called(value, "")
            elif self._parser.sign(at) == "{":
                value, _ = self._parser.value(at)
                if isinstance(value, ObjectValue):
                    self._object(value)

    def _declared(self, at: int) -> tuple[str, ScriptValue] | None:
        """``const systemPrompt: string = …``, ``function systemPrompt(…) {…}``, ``systemPrompt = …``"""
        parser, name = self._parser, self._parser.name(at)
        if parser.name(at - 1) == "enum" and parser.sign(at + 1) == "{":
            return name, parser.members(at + 1)
        if parser.name(at - 1) == "function" and parser.sign(at + 1) in ("(", "<"):
            return name, parser.body(at)[0]
        declares = parser.name(at - 1) in _DECLARES
        equals = at + 1
        if declares and parser.sign(equals) == ":":  # its type
            equals = next((n for n in range(equals, equals + 20) if parser.sign(n) in ("=", ";")), equals)
        if parser.sign(equals) != "=" or not (
            declares or _PROMPT_WORDS & set(words(name)) or words(name)[-1:] == ["tools"]
        ):
            return None
        return name, parser.value(equals + 1)[0]

    def _at(self, value: ScriptValue) -> str:
        return f"{self._where}:{value.line}"

    # -- values

    def _known(self, value: ScriptValue) -> ScriptValue:
        """What a name stands for in this file."""
        for _ in range(_DEEPEST):
            if not isinstance(value, NameValue):
                break
            found = self._names.get(value.path[0])
            for step in value.path[1:]:
                found = found.fields.get(step) if isinstance(found, ObjectValue) else None
            if found is None:
                break
            value = found
        return value

    def _text(self, value: ScriptValue, depth: int = 0) -> str | None:
        """The text that a value is, with ``{name}`` for what only running it would tell; None if it is none."""
        value = self._known(value)
        if depth > _DEEPEST or self._effort <= 0:
            return None
        match value:
            case TextValue(text=text, holes=holes):
                for hole in filter(None, holes):
                    inner = self._known(NameValue(value.line, (hole,)))
                    said = self._text(inner, depth + 1) if isinstance(inner, TextValue | SumValue) else None
                    text = text.replace("{" + hole + "}", said, 1) if said is not None else text
            case SumValue(parts=parts):
                texts = [self._text(part, depth + 1) for part in parts]
                if all(each is None for each in texts):
                    return None
                text = "".join(
                    each if each is not None else "{" + (part.path[-1] if isinstance(part, NameValue) else "…") + "}"
                    for each, part in zip(texts, parts, strict=True)
                )
            case FunctionValue(returned=returned):
                return self._text(returned, depth + 1)
            case CallValue(path=path, arguments=[first, *_]) if path[-1] in ("dedent", "fromTemplate", "SystemMessage"):
                return self._text(first, depth + 1)
            case CallValue(path=(name,)) if isinstance(self._names.get(name), FunctionValue):
                return self._text(self._names[name], depth + 1)
            case _:
                return None
        self._effort -= len(text) + 1
        return text[:_LONGEST]

    def _plain(self, value: ScriptValue, depth: int = 0) -> Any:
        """A literal as plain data; schemas of zod as JSON schemas, None for what only running it would tell."""
        value = self._known(value)
        self._effort -= 1
        if depth > _DEEPEST or self._effort <= 0:
            return None
        match value:
            case ObjectValue(fields=fields):
                return {name: self._plain(inner, depth + 1) for name, inner in fields.items()}
            case ListValue(items=items):
                return [self._plain(item, depth + 1) for item in items]
            case CallValue():
                inner = value.arguments[0] if "schema" in words(value.path[-1]) and value.arguments else value
                return schema_of(inner, self._known, self._text)
            case _:
                return self._text(value, depth + 1)

    # -- prompts

    def _prompt(self, name: str, value: ScriptValue, *, only_sentences: bool = False) -> None:
        text = self._text(value)
        if text and (is_sentence(text) or not only_sentences):
            self._found.prompt(name, text, self._at(value))

    def _assigned(self, name: str, value: ScriptValue) -> None:
        said = words(name)
        if _PROMPT_WORDS & set(said) or said == ["system"] or set(said) >= {"system", "message"}:
            inner = self._known(value)
            texts = list(inner.fields.values()) if isinstance(inner, ObjectValue) else [value]
            for each in texts:
                self._prompt(name, each, only_sentences=True)
        if isinstance(value, CallValue):
            self._called(value, name)

    def _object(self, value: ObjectValue) -> None:
        fields = value.fields
        agent = self._text(fields["name"]) if "name" in fields and "instructions" in fields else None
        for name, inner in fields.items():
            key = name.replace("_", "").lower()
            if name in _PROMPT_FIELDS or key in _PROMPT_FIELDS:
                self._prompt(agent or "", inner, only_sentences=key == "system")
            elif isinstance(inner, CallValue):
                self._called(inner, name)
            elif name == "tools" and isinstance(inner, ObjectValue):  # {cancel: {description, inputSchema}}
                for called, settings in inner.fields.items():
                    if isinstance(known := self._known(settings), ObjectValue):
                        self._tool(known, called)
        title = self._text(fields["name"]) if "execute" in fields and "name" in fields else None
        if title and is_check(title):
            self._found.guardrail("", title, self._at(value))
        if self._text(fields.get("role", ScriptValue(0))) in ("system", "developer") and "content" in fields:
            self._prompt("", fields["content"])
        if id(value) not in self._tools:
            tool = tool_of(self._plain(value) or {}, self._at(value))
            if tool is not None:
                self._found.tools.append(tool)
                self._tools.update(id(self._known(each)) for each in parts_of(value))

    # -- tools

    def _called(self, value: CallValue, name: str) -> None:
        """A call that makes a tool, an agent or a prompt; ``name`` is what it is assigned to, if that is known."""
        last = value.path[-1]
        settings = next(
            (known for each in value.arguments if isinstance(known := self._known(each), ObjectValue)), None
        )
        if last == "SystemMessage" and value.arguments:
            first = self._known(value.arguments[0])
            content = first.fields.get("content", first) if isinstance(first, ObjectValue) else first
            self._prompt("", content)
        elif last == "fromMessages" and value.arguments:
            self._messages(value.arguments[0])
        elif last == "Agent" or (last == "create" and value.path[-2:-1] == ("Agent",)) or last == "LlmAgent":
            if settings is not None:
                self._agent(settings, name)
        elif words(last)[-1:] == ["agent"] and settings is not None and "prompt" in settings.fields:
            self._prompt("", settings.fields["prompt"], only_sentences=True)
        elif last in _METHODS and (texts := self._texts(value)) and (len(value.path) > 1 or len(texts) > 1):
            self._method(value, texts, settings)
        elif (last in _MAKERS or words(last)[-1:] == ["tool"]) and settings is not None:
            self._tool(settings, name)

    def _messages(self, value: ScriptValue) -> None:
        """``[["system", "…"], …]``"""
        messages = self._known(value)
        for each in messages.items if isinstance(messages, ListValue) else ():
            if isinstance(each, ListValue) and len(each.items) > 1 and self._text(each.items[0]) == "system":
                self._prompt("", each.items[1])

    def _agent(self, settings: ObjectValue, called: str) -> None:
        name = self._text(settings.fields.get("name", ScriptValue(0)))
        if not name:
            return
        if called:
            self._found.agent_names.setdefault(called, name)
        listed = self._known(settings.fields.get("handoffs", ScriptValue(0)))
        handed = [self._handed(each) for each in listed.items] if isinstance(listed, ListValue) else []
        self._found.agent(name, [each for each in handed if each], self._at(settings))

    def _handed(self, value: ScriptValue) -> str:
        if isinstance(value, CallValue) and value.arguments:
            value = value.arguments[0]
        return value.path[-1] if isinstance(value, NameValue) else ""

    def _texts(self, value: CallValue) -> list[str]:
        """The texts that a call begins with."""
        texts: list[str] = []
        for each in value.arguments[:2]:
            text = self._text(each)
            if text is None:
                break
            texts.append(text)
        return texts

    def _method(self, value: CallValue, texts: list[str], settings: ObjectValue | None) -> None:
        """``server.tool("name", "says", {…}, run)``, ``server.registerTool("name", {description, inputSchema}, run)``"""
        if id(value) in self._tools:
            return
        about, schema = " ".join(texts[1:]), None
        for each in value.arguments[len(texts) :]:
            schema = schema or schema_of(each, self._known, self._text)
        if settings is not None and schema is None:
            about = about or self._text(settings.fields.get("description", ScriptValue(0))) or ""
            schema = self._schema(settings)
        self._tools.update((id(value), id(settings)))
        self._found.tools.append(make_tool(texts[0], parameters_of(schema or {}), about, self._at(value)))

    def _tool(self, settings: ObjectValue, called: str) -> None:
        """``tool({description, inputSchema, execute})``; its name is its own, or that under which it is kept."""
        fields = settings.fields
        own = next(
            (text for key in ("name", "id", "toolName") if key in fields and (text := self._text(fields[key]))), ""
        )
        about = self._text(fields["description"]) if "description" in fields else ""
        schema = self._schema(settings)
        if id(settings) in self._tools or not (own or called) or (schema is None and not about):
            return
        self._tools.add(id(settings))
        tool = make_tool(own or called, parameters_of(schema or {}), about or "", self._at(settings))
        self._found.tools.append(tool)

    def _schema(self, settings: ObjectValue) -> dict[str, Any] | None:
        for key in _SCHEMAS:
            if key not in settings.fields:
                continue
            value = settings.fields[key]
            known = self._known(value)
            if isinstance(known, CallValue) and known.path[-1] in (
                "jsonSchema",
                "zodToJsonSchema",
                "toJSONSchema",
                "zodSchema",
            ):
                value = known.arguments[0] if known.arguments else value
            found = schema_of(value, self._known, self._text)
            if found is None and isinstance(plain := self._plain(value), dict) and "properties" in plain:
                found = plain
            if found is not None:
                return found
        return None
