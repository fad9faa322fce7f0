"""Parameters of a tool out of Python source: a function's arguments, a model's fields, a JSON schema."""

from __future__ import annotations

import ast

from dsbuilder_tui.sources.target.json_schemas import parameters_of
from dsbuilder_tui.sources.target.python_names import Names, part, string

SCHEMA_ARGUMENTS = (
    "params_json_schema",
    "parameters",
    "input_schema",
    "inputSchema",
    "args_schema",
    "parameters_json_schema",
)
_OF_A_MODEL = {"model_json_schema", "schema", "json_schema"}
# What the framework passes in; the model never sees it.
_GIVEN = ("Context", "ToolRuntime", "Injected", "CallbackManager", "RunnableConfig")


class Parameters:
    """The parameters that the functions, classes and schemas of one module describe, one line each."""

    def __init__(self, names: Names, classes: dict[str, ast.ClassDef]) -> None:
        self._names, self._classes = names, classes

    def of_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
        given = node.args
        plain = [*given.posonlyargs, *given.args]
        defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
        pairs = [*zip(plain, defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
        if plain and plain[0].arg in ("self", "cls"):
            pairs = pairs[1:]
        return [
            _parameter(argument.arg, argument.annotation, default)
            for argument, default in pairs
            if argument.annotation is None or not any(word in ast.unparse(argument.annotation) for word in _GIVEN)
        ]

    def of_class(self, node: ast.ClassDef, depth: int = 0) -> list[str]:
        """The fields of a model, those of the classes of this module that it is made from first."""
        bases = [self._classes[part(base)] for base in node.bases if part(base) in self._classes and depth < 5]
        inherited = [line for base in bases if base is not node for line in self.of_class(base, depth + 1)]
        own = [
            _parameter(part(each.target), each.annotation, each.value)
            for each in node.body
            if isinstance(each, ast.AnnAssign) and part(each.target) and "ClassVar" not in ast.unparse(each.annotation)
        ]
        return inherited + own

    def of_schema(self, node: ast.expr) -> tuple[list[str], str]:
        """What a schema argument says, and the name of a class where it is one of another module."""
        model = model_named(node)
        if model in self._classes:
            return self.of_class(self._classes[model]), ""
        schema = self._names.value(node)
        if isinstance(schema, dict):
            return parameters_of(schema), ""
        return [], model


def model_named(node: ast.expr) -> str:
    """The class that a schema is taken from: ``Status``, ``Status.model_json_schema()``, ``TypeAdapter(Status)…``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _OF_A_MODEL:
        inner = node.func.value
        node = inner.args[0] if isinstance(inner, ast.Call) and inner.args else inner
    return part(node)


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
            line += _default_of_field(default)
        case ast.expr():
            line += " = …"
    return f"{line} — {about}" if about else line


def _default_of_field(node: ast.Call) -> str:
    """`` = 10`` of ``Field(default=10)`` and ``Field(10)``; nothing where the field has to be given."""
    given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "default")]
    if any(word.arg == "default_factory" for word in node.keywords):
        return " = …"
    if not given or (isinstance(given[0], ast.Constant) and given[0].value is ...):
        return ""
    return f" = {ast.unparse(given[0])}" if isinstance(given[0], ast.Constant) else " = …"


def _said(node: ast.expr) -> str:
    """A description given as a string or as ``Field(description="…")``."""
    if isinstance(node, ast.Call):
        return next((string(word.value) or "" for word in node.keywords if word.arg == "description"), "")
    return string(node) or ""
