"""What a machine can check of the house's rules: no circles, no towers of mixins, one name for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.support.import_graph import circles, classes, import_graph, modules
from tests.support.records import Records

PACKAGE = Path(__file__).resolve().parents[1] / "dsbuilder_tui"


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": {"d"}, "f": {"a"}}
    assert circles(graph) == [["a", "b", "c"], ["d", "e"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_no_two_files_import_each_other_in_a_circle() -> None:
    graph = import_graph(PACKAGE)
    assert len(graph) > 200 and any(graph.values())
    assert circles(graph) == []


def test_classes_are_composed_not_mixed() -> None:
    found = list(classes(PACKAGE))
    own = {name for _, name, _ in found}
    towers = {name: bases for _, name, bases in found if sum(base in own for base in bases) > 2}
    assert towers == {}


def test_a_public_class_name_has_one_meaning() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, name, _ in classes(PACKAGE):
        if not name.startswith("_"):
            homes[name].append(module)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_a_module_says_what_it_is() -> None:
    """A docstring begins with the thing, not with “What …”."""
    wrong = []
    for name, path in modules(PACKAGE).items():
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if not said or said.startswith("What "):
            wrong.append(name)
    assert wrong == []


_MOST_FIELDS = 5
_MOST_BY_POSITION = 2
# The comparing stages are being cut anew; its answers get their keywords there.
_NOT_YET = {"dsbuilder_tui.diversity.comparer: Answer"}


def test_a_record_built_by_position_is_found() -> None:
    field = "".join(f"    f{n}: int = 0\n" for n in range(3))
    records = Records(
        {
            "p.large": f"@dataclass(frozen=True)\nclass Six:\n{field}{field.replace('f', 'g')}"
            f"class Base(BaseModel):\n    kind: ClassVar[str]\nclass Model(Base):\n{field}class Child(Model):\n{field}"
            f"class Row(NamedTuple):\n{field}{field}class Plain:\n{field}{field}class Message:\n{field}{field}",
            "p.small": f"@dataclass\nclass Three:\n{field}\nThree(1, 2, 3)",
            "p.__init__": "from p.large import Child",
            "p.use": "from p.large import Six as Half, Model, Row, Plain\nfrom p import large\nimport p\nfrom other import Message\n"
            "def f(row):\n    Half(1, 2, f2=3)\n    Half(1, 2, 3)\n    Half(*row)\n    large.Six(1, 2, 3)\n    Row(1, 2, 3)\n"
            "    Model(1, 2, 3)\n    large.Child(1, 2, 3)\n    Plain(1, 2, 3)\n    Message(1, 2, 3)\n    Row(f0=1, **row)",
        }
    )
    assert records.fields(("p.large", "Child")) == 6 and records.fields(("p.large", "Plain")) == 0
    found = ["p.use: Six", "p.use: Six", "p.use: Six", "p.use: Row", "p.use: Child"]
    assert sorted(records.by_position(_MOST_FIELDS, _MOST_BY_POSITION)) == sorted(found)


def test_large_records_are_built_by_keyword() -> None:
    records = Records.of(PACKAGE)
    assert records.fields(("dsbuilder_tui.domain.case", "AcceptedCase")) == 10
    assert set(records.by_position(_MOST_FIELDS, _MOST_BY_POSITION)) <= _NOT_YET


def _enum_fields(trees: list[ast.Module]) -> dict[str, set[str]]:
    """The names of fields that an enum decides, with the values of these enums."""
    bodies = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    values = {
        enum.name: {
            line.value.value
            for line in enum.body
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
        }
        for enum in bodies
        if any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in enum.bases)
    }
    fields: dict[str, set[str]] = defaultdict(set)
    for body in bodies:
        for line in body.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                named = {node.id for node in ast.walk(line.annotation) if isinstance(node, ast.Name)}
                for enum_name in named & set(values):
                    fields[line.target.id] |= values[enum_name]
    return fields


def _decided_by_words(tree: ast.Module, fields: dict[str, set[str]]) -> list[str]:
    """Where a field that an enum decides is compared with one of its values in quotes."""
    found = []
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.AST]] = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            pairs = [(side.attr, node) for side in sides if isinstance(side, ast.Attribute)]
        elif isinstance(node, ast.MatchClass):
            pairs = list(zip(node.kwd_attrs, node.kwd_patterns, strict=True))
        for name, within in pairs:
            quoted = {each.value for each in ast.walk(within) if isinstance(each, ast.Constant)}
            if quoted & fields.get(name, set()):
                found.append(f"{node.lineno}: {ast.unparse(node) if isinstance(node, ast.Compare) else name}")
    return found


def test_a_fact_that_an_enum_decides_is_compared_with_its_member() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in modules(PACKAGE).values()}
    fields = _enum_fields(list(trees.values()))
    assert {"ok", "truncated"} <= fields["outcome"] and "warning" in fields["level"] and "running" in fields["state"]
    wrong = (
        'a.outcome == "ok"\nb.state in ("running", x)\n"error" != c.level\nmatch d:\n    case E(change="kept"): ...\n'
    )
    assert len(_decided_by_words(ast.parse(wrong), fields)) == 4
    right = 'a.outcome is CallOutcome.OK\na.name == "ok"\nb.state == "of a later version"\n'
    assert _decided_by_words(ast.parse(right), fields) == []
    found = {str(path): where for path, tree in trees.items() if (where := _decided_by_words(tree, fields))}
    assert found == {}
