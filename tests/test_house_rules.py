"""What a machine can check of the house's rules: no circles, no towers of mixins, one name for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.support.import_graph import circles, classes, import_graph, modules

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
