"""Tools and prompts out of Python source: parsed and looked at, never imported and never run."""

from __future__ import annotations

import ast
import re
import warnings
from itertools import islice

from dsbuilder_tui.sources.target.data_files import Unreadable, is_sentence, parameters_of, tool_of
from dsbuilder_tui.sources.target.findings import TargetFindings, TargetTool, make_tool
from dsbuilder_tui.sources.target.python_names import Names, callee, part, string, words

_MOST_NODES = 400_000
# What hangs on a tool without being one: @tool_input_guardrail, @before_tool_call …
_HOOKS = {"guardrail", "call", "calls", "hook", "error", "errors", "before", "after", "wrap", "output", "node", "retry"}
_PROMPT_WORDS = {"prompt", "prompts", "instruction", "instructions"}
_PROMPT_ARGUMENTS = {"instructions", "system_prompt", "system_message", "system_instruction"}
_GIVEN = (
    "Context",
    "ToolRuntime",
    "Injected",
    "CallbackManager",
)  # what the framework passes in; the model never sees it
_METHODS = ("_run", "run", "forward", "__call__", "_arun", "execute", "invoke", "call")
_SCHEMA_ARGUMENTS = ("params_json_schema", "parameters", "input_schema", "inputSchema")


def read_python(source: str, where: str, found: TargetFindings) -> None:
    """Add what a module says of tools and prompts. Raises ``Unreadable``; what was found before it stays found."""
    try:
        with warnings.catch_warnings():  # a wrong escape in foreign source is no business of this terminal
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        nodes = list(islice(ast.walk(tree), _MOST_NODES))
        _Module(tree, nodes, where, found).read()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable("it is not Python that can be parsed") from None


class _Module:
    """One module, and the rules by which its nodes become tools and prompts."""

    def __init__(self, tree: ast.Module, nodes: list[ast.AST], where: str, found: TargetFindings) -> None:
        self._where, self._found = where, found
        self._nodes = sorted(nodes, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
        self._names = Names(tree)
        self._classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self._functions = {n.name: n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        self._decorators = {id(each) for n in nodes for each in getattr(n, "decorator_list", ())}

    def read(self) -> None:
        for node in self._nodes:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._function(node)
                case ast.ClassDef():
                    self._class(node)
                case ast.Assign(targets=[*targets], value=value):
                    self._assigned([part(target) for target in targets], value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assigned([part(target)], value)
                case ast.Call():
                    self._called(node)
                case ast.Dict():
                    self._dict(node)
                case ast.Tuple(elts=[ast.Constant(value="system" | "developer"), said]):
                    self._prompt("", said)
                case _:
                    pass

    def _at(self, node: ast.expr | ast.stmt) -> str:
        return f"{self._where}:{node.lineno}"

    # -- prompts

    def _prompt(self, name: str, node: ast.expr, *, only_sentences: bool = False) -> None:
        text = self._names.text(node)
        if text and (is_sentence(text) or not only_sentences):
            self._found.prompt(name, text, self._at(node))

    def _assigned(self, targets: list[str], value: ast.expr) -> None:
        for name in filter(None, targets):
            said = words(name)
            if _PROMPT_WORDS & set(said) or said == ["system"] or set(said) >= {"system", "message"}:
                texts = value.values if isinstance(value, ast.Dict) else [value]
                if isinstance(value, ast.Call) and self._names.text(value) is None:
                    texts = [*value.args, *(word.value for word in value.keywords)]  # PromptTemplate("…")
                for each in texts:
                    self._prompt(name, each, only_sentences=True)
            if said[-1:] == ["tools"]:
                self._listed(value)
            tool = self._tool_of_dict(value) if isinstance(value, ast.Dict) else None
            tool = tool or (self._tool_of_call(value) if isinstance(value, ast.Call) else None)
            if tool:
                self._found.defined.setdefault(name, tool)

    # -- tools

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        about = ast.get_docstring(node) or ""
        tool = make_tool(node.name, self._parameters(node), about, self._at(node))
        for decorator in node.decorator_list:
            if not _makes_a_tool(callee(decorator)):
                continue
            name, said = node.name, about
            if isinstance(decorator, ast.Call):
                given = self._words_of(decorator)
                first = string(decorator.args[0]) if decorator.args else None
                name = given.get("name") or given.get("name_override") or given.get("tool_name") or first or name
                said = given.get("description") or given.get("description_override") or said
            tool = make_tool(name, tool.parameters, said, tool.where)
            self._found.tools.append(tool)
            break
        self._found.defined.setdefault(node.name, tool)

    def _class(self, node: ast.ClassDef) -> None:
        if not any(callee(base)[-1:] and callee(base)[-1].endswith("Tool") for base in node.bases):
            return
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        fields = {part(target): value for target, value in _fields(node)}
        method = next((methods[name] for name in _METHODS if name in methods), None)
        schema = self._classes.get(part(fields["args_schema"])) if "args_schema" in fields else None
        parameters = self._field_lines(schema) if schema else self._parameters(method) if method else []
        name = self._names.text(fields["name"]) if "name" in fields else None
        about = self._names.text(fields["description"]) if "description" in fields else None
        tool = make_tool(name or node.name, parameters, about or ast.get_docstring(node) or "", self._at(node))
        self._found.tools.append(tool)
        self._found.defined.setdefault(node.name, tool)

    def _called(self, node: ast.Call) -> None:
        path = callee(node)
        for word in node.keywords:
            if word.arg in _PROMPT_ARGUMENTS:
                self._prompt("", word.value)
            elif word.arg in ("system", "state_modifier") or (
                word.arg == "prompt" and "agent" in words(path[-1] if path else "")
            ):
                self._prompt("", word.value, only_sentences=True)
            elif word.arg == "tools":
                self._listed(word.value)
        if any("SystemMessage" in name for name in path):
            for each in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "content")]:
                self._prompt("", each)
        if path and node.args and {"tools", "node"} & set(words(path[-1])) and "tool" in path[-1].lower():
            self._listed(node.args[0])  # model.bind_tools([…]), ToolNode([…])
        tool = self._tool_of_call(node)
        if tool:
            self._found.tools.append(tool)

    def _listed(self, value: ast.expr) -> None:
        """The members of a ``tools=[…]``. What they mean is settled when every file has been read."""
        for member in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
            name = part(member)
            if isinstance(member, ast.Call):
                if self._tool_of_call(member):
                    continue
                wraps = [part(arg) for arg in member.args[:1]] + [
                    part(word.value) for word in member.keywords if word.arg in ("func", "fn", "function")
                ]
                name = next((each for each in wraps if each in self._functions), (callee(member) or [""])[-1])
            if name:
                self._found.listed.append((name, self._at(member)))

    def _tool_of_call(self, node: ast.Call) -> TargetTool | None:
        """``Tool(name="…", description="…")``, ``StructuredTool.from_function(…)``, ``agent.as_tool("…", "…")``"""
        path = callee(node)
        last = words(path[-1]) if path else []
        if id(node) in self._decorators or not last:
            return None
        made_from = path[-1] in ("from_function", "from_defaults") and "Tool" in path[-2:][0]
        if last[-1] != "tool" and path[-1] != "FunctionDeclaration" and not made_from:
            return None
        given, texts = self._words_of(node), [text for text in map(string, node.args) if text]
        name = given.get("name") or given.get("tool_name") or ""
        about = given.get("description") or given.get("tool_description") or next(iter(texts[1:]), "")
        if not name and texts and (about or path[-1] in ("Tool", "as_tool")):  # find_tool("clang") makes none
            name = texts[0] if re.fullmatch(r"[\w\- ]{1,64}", texts[0]) else ""
        if not name:
            return None
        parameters: list[str] = []
        for word in node.keywords:
            if word.arg in _SCHEMA_ARGUMENTS:
                schema = self._names.value(word.value)
                parameters = parameters_of(schema) if isinstance(schema, dict) else parameters
            elif word.arg == "args_schema" and part(word.value) in self._classes:
                parameters = self._field_lines(self._classes[part(word.value)])
            elif word.arg in ("func", "fn", "coroutine") and part(word.value) in self._functions and not parameters:
                wrapped = self._functions[part(word.value)]
                parameters = self._parameters(wrapped)
                about = about or ast.get_docstring(wrapped) or ""
        return make_tool(name, parameters, about, self._at(node))

    def _dict(self, node: ast.Dict) -> None:
        keys = {string(key): value for key, value in zip(node.keys, node.values, strict=True) if key is not None}
        if string(keys.get("role")) in ("system", "developer") and "content" in keys:
            self._prompt("", keys["content"])
        tool = self._tool_of_dict(node)
        if tool:
            self._found.tools.append(tool)

    def _tool_of_dict(self, node: ast.Dict) -> TargetTool | None:
        if not {"name", "function"} & {string(key) for key in node.keys}:
            return None
        value = self._names.value(node)
        return tool_of(value, self._at(node)) if isinstance(value, dict) else None

    # -- details

    def _words_of(self, node: ast.Call) -> dict[str, str]:
        """The keyword arguments that are text."""
        said = {word.arg: self._names.text(word.value) for word in node.keywords if word.arg}
        return {name: text for name, text in said.items() if text}

    def _parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
        given = node.args
        plain = [*given.posonlyargs, *given.args]
        defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
        pairs = [*zip(plain, defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
        if plain and plain[0].arg in ("self", "cls"):
            pairs = pairs[1:]
        lines = [_parameter(argument.arg, argument.annotation, default) for argument, default in pairs]
        return [line for line in lines if not any(word in line.partition(" = ")[0] for word in _GIVEN)]

    def _field_lines(self, node: ast.ClassDef) -> list[str]:
        return [
            _parameter(part(each.target), each.annotation, each.value)
            for each in node.body
            if isinstance(each, ast.AnnAssign) and part(each.target)
        ]


def _fields(node: ast.ClassDef) -> list[tuple[ast.expr, ast.expr]]:
    """What a class body sets: (target, value)."""
    out: list[tuple[ast.expr, ast.expr]] = []
    for each in node.body:
        if isinstance(each, ast.Assign):
            out.extend((target, each.value) for target in each.targets)
        elif isinstance(each, ast.AnnAssign) and each.value is not None:
            out.append((each.target, each.value))
    return out


def _makes_a_tool(path: list[str]) -> bool:
    """``tool``, ``function_tool``, ``mcp.tool``, ``agent.tool_plain``, ``tools.register``; not ``functools.wraps``."""
    said = [word for name in path for word in words(name)]
    return not _HOOKS & set(said) and any(word == "tools" or word.endswith("tool") for word in said)


def _parameter(name: str, annotation: ast.expr | None, default: ast.expr | None) -> str:
    """``limit: int = 5``; what ``Annotated`` and ``Field`` say of it stands after a dash."""
    about = ""
    match annotation:
        case ast.Subscript(slice=ast.Tuple(elts=[inner, *said])) if part(annotation.value) == "Annotated":
            annotation, about = inner, next(filter(None, map(_said, said)), "")
    line = name + (f": {ast.unparse(annotation)}" if annotation else "")
    match default:
        case ast.Constant():
            line += f" = {ast.unparse(default)}"
        case ast.Call():
            about = about or _said(default)
        case ast.expr():
            line += " = …"
    return f"{line} — {about}" if about else line


def _said(node: ast.expr) -> str:
    """A description given as a string or as ``Field(description="…")``."""
    if isinstance(node, ast.Call):
        return next((string(word.value) or "" for word in node.keywords if word.arg == "description"), "")
    return string(node) or ""
