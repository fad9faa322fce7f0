"""Names and literals in Python source, and the values they stand for, as far as the source itself says it."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

_DEEPEST = 20
_LONGEST = 64 * 1024
_EFFORT = 2_000_000  # characters and nodes a module may cost; names that stand for names could ask for any number
_SAME = {"strip", "lstrip", "rstrip", "format", "format_map", "partial", "dedent", "cleandoc", "partial_variables"}


class Names:
    """A module's own names, and what an expression made of them and of literals says."""

    def __init__(self, tree: ast.Module) -> None:
        self._known: dict[str, str | None] = {}
        self._effort = _EFFORT
        self._values: dict[str, ast.expr] = {}
        self._read(tree.body, "")

    def _read(self, body: list[ast.stmt], owner: str) -> None:
        """The names that a module sets, and those of its classes: ``Names.STATUS`` of an enum, ``Config.PROMPT``."""
        for node in body:
            match node:
                case ast.Assign(targets=[*targets], value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            self._values[owner + target.id] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._values[owner + name] = value
                case ast.ClassDef(name=name, body=inner) if not owner:
                    self._read(inner, f"{name}.")
                case _:
                    pass

    def named(self, node: ast.expr) -> ast.expr | None:
        """The expression that a name stands for, or a member of a class, or the value of an enum's member."""
        for _ in range(_DEEPEST):
            found = self._values.get(_key(node))
            if found is None and isinstance(node, ast.Attribute) and node.attr == "value":
                found = self._values.get(_key(node.value))
            if not isinstance(found, ast.Name | ast.Attribute):
                return found
            node = found
        return None

    def returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> str | None:
        """The text that a function gives back: of its ``return`` statements the first that is one."""
        if isinstance(function, ast.Lambda):
            return self.text(function.body)
        inside = list(ast.walk(function))
        own = {part(goal): node.value for node in inside if isinstance(node, ast.Assign) for goal in node.targets}
        for node in inside:
            if isinstance(node, ast.Return) and node.value is not None:
                text = self.text(own.get(part(node.value), node.value))
                if text:
                    return text
        return None

    def text(self, node: ast.expr, depth: int = 0) -> str | None:
        """The string that an expression is, with ``{name}`` for what only running it would tell; None if it is none."""
        if depth > _DEEPEST or self._effort <= 0:
            return None
        text = self._text(node, depth + 1)
        if text is None:
            self._effort -= 1
            return None
        text = text[:_LONGEST]
        self._effort -= 1 + len(text)
        return text

    def _text(self, node: ast.expr, depth: int) -> str | None:
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.JoinedStr(values=parts):
                return "".join((self.text(p, depth) or _hole(p)) for p in parts)
            case ast.FormattedValue(value=inner):
                return self.text(inner, depth)
            case ast.BinOp(op=ast.Add()):
                return self._sum(node, depth)
            case ast.BinOp(op=ast.Mod(), left=left):
                return self.text(left, depth)
            case ast.Name() | ast.Attribute() if (value := self.named(node)) is not None:
                name = _key(node)
                if name not in self._known:
                    self._known[name] = None  # a name that stands for itself says nothing
                    self._known[name] = self.text(value, depth)
                return self._known[name]
            case ast.Call(
                func=ast.Attribute(attr="join", value=glue), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)]
            ):
                texts = [self.text(each, depth) for each in parts]
                return (self.text(glue, depth) or "").join(text for text in texts if text is not None)
            case ast.Call(func=function, args=args) if part(function) in _SAME:
                whole = function.value if isinstance(function, ast.Attribute) else None
                if part(function) in ("dedent", "cleandoc"):
                    whole = args[0] if args else None
                said = self.text(whole, depth) if whole is not None else None
                return textwrap.dedent(said) if said and part(function) in ("dedent", "cleandoc") else said
            case _:
                return None

    def _sum(self, node: ast.expr, depth: int) -> str | None:
        parts: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):  # a long sum leans to the left
            parts.append(node.right)
            node = node.left
        texts = [(self.text(each, depth), each) for each in reversed([*parts, node])]
        if all(text is None for text, _ in texts):
            return None
        return "".join(text if text is not None else _hole(each) for text, each in texts)

    def value(self, node: ast.expr | None, depth: int = 0) -> Any:
        """A literal as plain data; text where the expression is text, None for what only running it would tell."""
        self._effort -= 1
        if node is None or depth > _DEEPEST or self._effort <= 0:
            return None
        match node:
            case ast.Constant(value=str() | int() | float() | bool() as plain):
                return plain
            case ast.Dict(keys=keys, values=values):
                named = zip(map(string, keys), values, strict=True)
                return {key: self.value(inner, depth + 1) for key, inner in named if key is not None}
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self.value(each, depth + 1) for each in parts]
            case ast.Name() | ast.Attribute() if isinstance(known := self.named(node), ast.Dict | ast.List):
                return self.value(known, depth + 1)
            case _:
                return self.text(node, depth)


def words(name: str) -> list[str]:
    """``functionTool_v2`` → function, tool, v2"""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def part(node: ast.AST) -> str:
    """The last name of ``a.b.c``, or nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def callee(node: ast.AST) -> list[str]:
    """The names of what is called or referred to: ``mcp.tool("x")`` → mcp, tool."""
    path: list[str] = []
    for _ in range(_DEEPEST):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Attribute):
            path.append(node.attr)
            node = node.value
        else:
            break
    return list(reversed([*path, *filter(None, [part(node)])]))


def string(node: ast.AST | None) -> str | None:
    """The value of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _key(node: ast.expr) -> str:
    """Under what a name is known: ``PROMPT``, or ``Names.STATUS`` of a class."""
    return ".".join(callee(node)[-2:]) if isinstance(node, ast.Attribute) else part(node)


def _hole(node: ast.AST) -> str:
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    return "{" + (part(inner) or "…") + "}"
