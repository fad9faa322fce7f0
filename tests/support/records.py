"""The package's records read as text: how many fields each has, and the calls that build one by position."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.import_graph import modules

Home = tuple[str, str]  # module and class
_RECORD_BASES = {"BaseModel", "NamedTuple"}


class Records:
    """The dataclasses, named tuples and pydantic models of a package, and who builds them."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """``sources`` is the text of each module by its dotted name."""
        self._trees = {name: ast.parse(text) for name, text in sources.items()}
        self._names = {name: self._known(name, tree) for name, tree in self._trees.items()}
        self._classes = {
            (name, node.name): node
            for name, tree in self._trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    @classmethod
    def of(cls, package: Path) -> Records:
        return cls({name: path.read_text(encoding="utf-8") for name, path in modules(package).items()})

    def fields(self, home: Home) -> int:
        """How many fields a record has, with those of its bases; 0 for what is no record."""
        node = self._classes.get(home)
        if node is None:
            return 0
        bases = [self._home(home[0], base) for base in node.bases]
        inherited = [self.fields(base) for base in bases if base is not None]
        named = {_last(base) for base in node.bases} | {_last(one) for one in node.decorator_list}
        if not (any(inherited) or named & {"dataclass", *_RECORD_BASES} or self._is_model(home)):
            return 0
        return sum(inherited) + sum(
            isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.unparse(part.annotation) for part in node.body
        )

    def by_position(self, fields: int, most: int) -> Iterator[str]:
        """The calls that build a record of more than ``fields`` fields with more than ``most`` arguments by position; a
        starred argument may be any number of them."""
        for module, tree in self._trees.items():
            for node in ast.walk(tree):
                if not isinstance(node, ast.Call) or (home := self._home(module, node.func)) is None:
                    continue
                many = len(node.args) > most or any(isinstance(argument, ast.Starred) for argument in node.args)
                if many and self.fields(home) > fields:
                    yield f"{module}: {home[1]}"

    def _is_model(self, home: Home) -> bool:
        """Whether a class is a pydantic model, also by way of one without fields."""
        node = self._classes.get(home)
        bases = node.bases if node else []
        return any(_last(base) in _RECORD_BASES for base in bases) or any(
            self._is_model(known) for base in bases if (known := self._home(home[0], base)) is not None
        )

    def _home(self, module: str, expression: ast.expr) -> Home | None:
        """Where a class that is named in a module comes from; None for one of another package. ``cls`` is not followed."""
        match expression:
            case ast.Name(id=name):
                found = self._names[module].get(name)
                return found if found is None or found in self._classes else self._exported(found)
            case ast.Attribute(value=ast.Name(id=alias), attr=name) if alias in self._names[module]:
                above, tail = self._names[module][alias]
                inner = f"{above}.{tail}"
                return (inner, name) if (inner, name) in self._classes else None
            case ast.Subscript(value=value):
                return self._home(module, value)
        return None

    def _exported(self, home: Home) -> Home | None:
        """A class that a module hands on from another one."""
        onward = self._names.get(home[0], {}).get(home[1])
        return onward if onward in self._classes else None

    @staticmethod
    def _known(module: str, tree: ast.Module) -> dict[str, Home]:
        known: dict[str, Home] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                known |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                known[node.name] = (module, node.name)
        return known


def _last(expression: ast.expr) -> str:
    """``dataclass`` of ``@dataclasses.dataclass(frozen=True)``."""
    if isinstance(expression, ast.Call | ast.Subscript):
        return _last(expression.func if isinstance(expression, ast.Call) else expression.value)
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
