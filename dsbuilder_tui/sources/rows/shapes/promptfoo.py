"""promptfoo: tests with ``vars`` and ``assert``, or a table with a column for each variable and ``__expected``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.sources.rows.own_export import own_metadata, own_parts, unpacked
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable

_WHOLE = frozenset({"equals", "similar", "answer-relevance", "factuality", "model-graded-closedqa", "g-eval"})
_FACTS = frozenset({"contains", "icontains", "contains-all", "icontains-all"})
_RULES = frozenset({"llm-rubric", "g-eval", "model-graded-closedqa"})
_OTHER = "assert"
_SPECIAL = "__"


def _recognises(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("vars"), Mapping)


def _parts(record: Mapping[str, Any]) -> Parts:
    inputs = record.get("vars")
    if not isinstance(inputs, Mapping):
        raise Unusable("no field vars")
    asserts = record.get("assert")
    checks = asserts if isinstance(asserts, list) else []
    if (metadata := own_metadata(record)) is not None:
        rest, packed = metadata.pop("expectations", {}), metadata.pop("json_vars", None)
        expected = {**_by_metric(checks), **(rest if isinstance(rest, Mapping) else {})}
        return own_parts(unpacked(inputs, packed), expected, metadata)
    return parts_of(record, inputs, expectations_of_asserts(checks), ("vars", "assert"))


def _by_metric(checks: Iterable[Any]) -> dict[str, Any]:
    """The expectations in assertions of ours, which name them."""
    found: dict[str, Any] = {}
    for check in checks:
        key, value = (check.get("metric"), check.get("value")) if isinstance(check, Mapping) else (None, None)
        if key == MlflowKey.RESPONSE:
            found[MlflowKey.RESPONSE.value] = value
        elif key in (MlflowKey.FACTS, MlflowKey.GUIDELINES):
            found.setdefault(str(key), []).append(value)
    return found


def expectations_of_asserts(asserts: Iterable[Any]) -> dict[str, Any]:
    """The expectations that a scorer of MLflow reads, out of asserts; those that say something else stay under ``assert``."""
    facts: list[Any] = []
    rules: list[Any] = []
    others: list[Any] = []
    response: str | None = None
    for each in asserts:
        kind, value = (each.get("type"), each.get("value")) if isinstance(each, Mapping) else (None, each)
        if kind in _FACTS and isinstance(value, str | list):
            facts += value if isinstance(value, list) else [value]
        elif kind in _RULES and isinstance(value, str):
            rules.append(value)
        elif kind in _WHOLE and isinstance(value, str) and response is None:
            response = value
        else:
            others.append(each)
    found: dict[str, Any] = {}
    if response is not None:
        found[MlflowKey.RESPONSE.value] = response
    if facts:
        found[MlflowKey.FACTS.value] = facts
    if rules:
        found[MlflowKey.GUIDELINES.value] = rules
    if others:
        found[_OTHER] = others
    return found


def _is_table(record: Mapping[str, Any]) -> bool:
    return any(name.startswith("__expected") for name in record if isinstance(name, str))


def _table_parts(record: Mapping[str, Any]) -> Parts:
    test = promptfoo_test(record)
    if not test["vars"]:
        raise Unusable("no column but those of promptfoo")
    return parts_of(test, test["vars"], expectations_of_asserts(test["assert"]), ("vars", "assert"))


def promptfoo_test(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table as the test that it stands for."""
    told = {
        name.removeprefix("__metadata:").removeprefix(_SPECIAL): value
        for name, value in record.items()
        if name.startswith(_SPECIAL) and not name.startswith("__expected")
    }
    return {
        **told,
        "vars": {name: value for name, value in record.items() if not name.startswith(_SPECIAL) and value is not None},
        "assert": [_written_out(value) for name, value in record.items() if name.startswith("__expected") and value],
    }


def _written_out(value: Any) -> Any:
    """``contains: Paris`` as an assert; a text without a kind is what the answer has to equal."""
    if not isinstance(value, str):
        return value
    kind, colon, rest = value.partition(":")
    known = kind.strip() in _WHOLE | _FACTS | _RULES or (kind.strip() in ("grade", "fn", "eval", "is-json") and colon)
    if not (colon and known):
        return {"type": "equals", "value": value}
    name = "llm-rubric" if kind.strip() == "grade" else kind.strip()
    return {"type": name, "value": rest.strip()}


SHAPE = RowShape(label="tests of promptfoo", recognises=_recognises, parts=_parts)
TABLE = RowShape(label="a table of promptfoo tests", recognises=_is_table, parts=_table_parts)
