"""Tools and prompts out of Python source: parsed and looked at, never imported and never run."""

from __future__ import annotations

import ast
import re
import warnings
from itertools import islice

from dsbuilder_tui.sources.foreign_text import label
from dsbuilder_tui.sources.target.data_files import Unreadable, is_sentence, persona
from dsbuilder_tui.sources.target.findings import TargetFindings, TargetTool, make_tool
from dsbuilder_tui.sources.target.json_schemas import tool_of
from dsbuilder_tui.sources.target.python_names import Names, callee, part, string, words
from dsbuilder_tui.sources.target.python_schemas import SCHEMA_ARGUMENTS, Parameters

_MOST_NODES = 400_000
# What hangs on a tool without being one: @tool_input_guardrail, @before_tool_call …
_HOOKS = {"guardrail", "call", "calls", "hook", "error", "errors", "before", "after", "wrap", "output", "node", "retry"}
_PROMPT_WORDS = {"prompt", "prompts", "instruction", "instructions"}
_PROMPT_ARGUMENTS = {
    "instructions", "instruction", "global_instruction", "system_prompt", "system_message", "system_instruction",
}  # fmt: skip
_ASKS = {"list", "get", "call", "set"}  # @server.list_tools() is asked for tools, and is none
_HANDED_TO = {"handoffs", "sub_agents"}
_OF_GUARDRAILS = ("guardrail", "guardrails")
_METHODS = ("_run", "run", "forward", "__call__", "_arun", "execute", "invoke", "call")


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
        self._parameters = Parameters(self._names, self._classes)
        self._called_as = {
            id(n.value): [part(goal) for goal in n.targets] for n in nodes if isinstance(n, ast.Assign)
        }  # fmt: skip
        self._guards = self._used_by_guardrails()

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

    def _prompt(self, name: str, node: ast.expr, *, only_sentences: bool = False, checks: bool = False) -> None:
        """Keep the text that an expression is, or that the function gives back which it names."""
        function = node if isinstance(node, ast.Lambda) else self._functions.get(part(node))
        if isinstance(node, ast.List | ast.Tuple):  # instructions=["…", told_by_a_function]
            for each in node.elts:
                self._prompt(name, each, only_sentences=only_sentences, checks=checks)
            return
        text = self._names.returned(function) if function is not None else self._names.text(node)
        if text is None and isinstance(node, ast.Call) and node.args:  # prompt_with_handoff_instructions("…")
            text = self._names.text(node.args[0])
            only_sentences = True
        if text and (is_sentence(text) or not only_sentences):
            keep = self._found.guardrail if checks else self._found.prompt
            keep(name, text, self._at(node))

    def _used_by_guardrails(self) -> set[str]:
        """Names that a guardrail's function uses: an agent among them checks, and answers nobody."""
        used: set[str] = set()
        for node in self._functions.values():
            made = {word for decorator in node.decorator_list for name in callee(decorator) for word in words(name)}
            if made.intersection(_OF_GUARDRAILS):
                used.update(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
        return used

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
        tool = make_tool(node.name, self._parameters.of_function(node), about, self._at(node))
        made = [word for decorator in node.decorator_list for word in words((callee(decorator) or [""])[-1])]
        if set(made).intersection(_OF_GUARDRAILS) or set(words(node.name)).intersection(_OF_GUARDRAILS):
            self._found.guardrail(node.name, about or node.name.replace("_", " "), self._at(node))
            return
        if _PROMPT_WORDS & set(made) or (_PROMPT_WORDS & set(words(node.name)) and not made):
            text = self._names.returned(node)
            if text and is_sentence(text):
                self._found.prompt(node.name, text, self._at(node))
        for decorator in node.decorator_list:
            if not _makes_a_tool(callee(decorator)):
                continue
            name, said, parameters = node.name, about, list(tool.parameters)
            if isinstance(decorator, ast.Call):
                given = self._words_of(decorator)
                first = self._names.text(decorator.args[0]) if decorator.args else None
                name = given.get("name") or given.get("name_override") or given.get("tool_name") or first or name
                said = given.get("description") or given.get("description_override") or said
                parameters = self._schema_of(decorator, name) or parameters
            tool = make_tool(name, parameters, said, tool.where)
            self._found.tools.append(tool)
            break
        self._found.defined.setdefault(node.name, tool)

    def _class(self, node: ast.ClassDef) -> None:
        if not any(callee(base)[-1:] and callee(base)[-1].endswith("Tool") for base in node.bases):
            if any(callee(base)[-1:] == ["Signature"] for base in node.bases):  # DSPy's
                task = ast.get_docstring(node) or ""
                if is_sentence(task):
                    self._found.prompt(node.name, task, self._at(node))
                return
            if lines := self._parameters.of_class(node):
                self._found.models.setdefault(node.name, lines)
                as_tool = make_tool(node.name, lines, ast.get_docstring(node) or "", self._at(node))
                self._found.defined.setdefault(node.name, as_tool)  # model.bind_tools([Search])
            return
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        fields = {part(target): value for target, value in _fields(node)}
        method = next((methods[name] for name in _METHODS if name in methods), None)
        parameters, _ = self._parameters.of_schema(fields["args_schema"]) if "args_schema" in fields else ([], "")
        parameters = parameters or (self._parameters.of_function(method) if method else [])
        name = self._names.text(fields["name"]) if "name" in fields else None
        about = self._names.text(fields["description"]) if "description" in fields else None
        tool = make_tool(name or node.name, parameters, about or ast.get_docstring(node) or "", self._at(node))
        self._found.tools.append(tool)
        self._found.defined.setdefault(node.name, tool)

    def _called(self, node: ast.Call) -> None:
        path = callee(node)
        agent = self._agent(node)
        checks = any(name in self._guards for name in self._called_as.get(id(node), ()))
        for word in node.keywords:
            if word.arg in _PROMPT_ARGUMENTS:
                self._prompt(agent, word.value, checks=checks)
            elif word.arg in ("system", "state_modifier") or (
                word.arg == "prompt" and "agent" in words(path[-1] if path else "")
            ):
                self._prompt("", word.value, only_sentences=True)
            elif word.arg == "tools":
                self._listed(word.value)
        self._crew(node, path[-1] if path else "")
        if any("SystemMessage" in name for name in path):
            for each in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "content")]:
                self._prompt("", each)
        if path and node.args and {"tools", "node"} & set(words(path[-1])) and "tool" in path[-1].lower():
            self._listed(node.args[0])  # model.bind_tools([…]), ToolNode([…])
        elif path and node.args and words(path[-1])[-1:] == ["agent"]:
            for each in node.args[1:]:  # create_react_agent(model, [search, book])
                self._listed(each)
        elif path and path[-1] in ("add_tool", "tool") and node.args and part(node.args[0]) in self._functions:
            self._found.listed.append((part(node.args[0]), self._at(node)))  # mcp.add_tool(search)
        elif len(path) == 3 and path[1] in _HANDED_TO and path[2] in ("append", "extend"):
            self._later_handoffs(path[0], node)
        tool = self._tool_of_call(node)
        if tool:
            self._found.tools.append(tool)

    def _crew(self, node: ast.Call, made: str) -> None:
        """CrewAI's ``Agent(role="…", goal="…", backstory="…")`` and ``Task(description="…", expected_output="…")``."""
        given = self._words_of(node)
        if told := persona(given.get("role", ""), given.get("goal"), given.get("backstory")):
            self._found.prompt(given.get("role", ""), told, self._at(node))
            self._found.agent(given.get("role", ""), [], self._at(node))
        elif made == "Task" and is_sentence(given.get("description", "")) and "expected_output" in given:
            self._found.prompt("task", f"{given['description']}\n{given['expected_output']}", self._at(node))

    def _agent(self, node: ast.Call) -> str:
        """The name of an agent that is made here, or nothing."""
        last = words((callee(node) or [""])[-1])
        given = {word.arg: word.value for word in node.keywords if word.arg}
        name = self._names.text(given["name"]) if "name" in given and last[-1:] == ["agent"] else None
        if not name:
            return ""
        for called in self._called_as.get(id(node), ()):
            self._found.agent_names.setdefault(called, name)
        others = [value.elts for arg, value in given.items() if arg in _HANDED_TO and isinstance(value, ast.List)]
        handed = [self._handed(each) for one in others for each in one]
        if not self._guards.intersection(self._called_as.get(id(node), ())):
            self._found.agent(name, [each for each in handed if each], self._at(node))
        return name

    def _later_handoffs(self, called: str, node: ast.Call) -> None:
        """``faq.handoffs.append(triage)``"""
        given = [each.elts if isinstance(each, ast.List) else [each] for each in node.args[:1]]
        handed = [self._handed(each) for one in given for each in one]
        if called in self._found.agent_names:
            self._found.agent(self._found.agent_names[called], [each for each in handed if each], self._at(node))

    def _handed(self, node: ast.expr) -> str:
        """The agent in ``handoffs=[…]``: a name, or ``handoff(agent=billing)``."""
        if isinstance(node, ast.Call):
            given = [word.value for word in node.keywords if word.arg == "agent"] + node.args[:1]
            return part(given[0]) if given else ""
        return part(node)

    def _schema_of(self, node: ast.Call, name: str) -> list[str]:
        """The parameters that a call gives as a schema or a model; of a model elsewhere when every file has been read."""
        for word in node.keywords:
            if word.arg in SCHEMA_ARGUMENTS:
                lines, elsewhere = self._parameters.of_schema(word.value)
                if elsewhere:
                    self._found.modelled.append((label(name), elsewhere))
                return lines
        return []

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
                if (callee(member) or [""])[-1] == "AgentTool":
                    wraps = [self._handed(member)]
                    self._found.listed.extend((each, self._at(member)) for each in wraps if each)
                    continue
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
        wrapped = self._wrapped(node)
        if path[-1] == "pydantic_function_tool" and node.args:
            model = part(node.args[0])
            return make_tool(name or model, self._parameters.of_schema(node.args[0])[0], about, self._at(node))
        if not name and wrapped is not None and (made_from or path[-1] in ("Tool", "FunctionTool")):
            name = wrapped.name
        if not name:
            return None
        parameters = self._schema_of(node, name)
        if wrapped is not None and not parameters:
            parameters = self._parameters.of_function(wrapped)
            about = about or ast.get_docstring(wrapped) or ""
        return make_tool(name, parameters, about, self._at(node))

    def _wrapped(self, node: ast.Call) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function that a tool is made of: ``Tool(search)``, ``StructuredTool.from_function(func=search)``."""
        given = [word.value for word in node.keywords if word.arg in ("func", "fn", "function", "coroutine")]
        return next(
            (self._functions[part(each)] for each in [*given, *node.args] if part(each) in self._functions), None
        )

    def _dict(self, node: ast.Dict) -> None:
        keys = {string(key): value for key, value in zip(node.keys, node.values, strict=True) if key is not None}
        if string(keys.get("role")) in ("system", "developer") and "content" in keys:
            self._prompt("", keys["content"])
        tool = self._tool_of_dict(node)
        if tool:
            self._found.tools.append(tool)

    def _tool_of_dict(self, node: ast.Dict) -> TargetTool | None:
        if not {"name", "function", "toolSpec"} & {string(key) for key in node.keys}:
            return None
        value = self._names.value(node)
        return tool_of(value, self._at(node)) if isinstance(value, dict) else None

    # -- details

    def _words_of(self, node: ast.Call) -> dict[str, str]:
        """The keyword arguments that are text."""
        said = {word.arg: self._names.text(word.value) for word in node.keywords if word.arg}
        return {name: text for name, text in said.items() if text}


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
    if path[-1:] == ["kernel_function"]:  # Semantic Kernel's
        return True
    said = [word for name in path for word in words(name)]
    asks = path[-1:] and _ASKS & set(words(path[-1])[:1])
    return not asks and not _HOOKS & set(said) and any(word == "tools" or word.endswith("tool") for word in said)
