"""Tests of promptfoo: a YAML list for ``tests: file://…`` in a configuration.

Each expectation that promptfoo can check becomes an assertion, whose ``metric`` is the name of the expectation.
https://www.promptfoo.dev/docs/configuration/test-cases/
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import yaml

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def test_of(case: AcceptedCase) -> dict[str, Any]:
    """One test. A list among the inputs is written as JSON: promptfoo would make a test of each of its items."""
    record = case.record()
    lists = [name for name, value in case.inputs.items() if isinstance(value, list)]
    variables = {
        name: json.dumps(value, ensure_ascii=False) if name in lists else value for name, value in case.inputs.items()
    }
    checks, told = _assertions(case.expectations)
    rest = {key: value for key, value in case.expectations.items() if key not in told}
    metadata = dict(record["tags"])
    metadata |= {"json_vars": lists} if lists else {}
    metadata |= {"expectations": rest} if rest else {}
    return {
        "description": case.case_id,
        "vars": variables,
        **({"assert": checks} if checks else {}),
        "metadata": metadata,
    }


def _assertions(expectations: dict[str, Any]) -> tuple[list[dict[str, Any]], set[str]]:
    """The assertions, and the keys that they hold whole."""
    made: list[dict[str, Any]] = []
    told: set[str] = set()

    def add(kind: str, key: MlflowKey, values: list[Any]) -> None:
        made.extend({"type": kind, "value": value, "metric": key.value} for value in values)

    response, calls = expectations.get(MlflowKey.RESPONSE), expectations.get(MlflowKey.TOOL_CALLS)
    if isinstance(response, str):
        add("factuality", MlflowKey.RESPONSE, [response])
        told.add(MlflowKey.RESPONSE)
    for key in (MlflowKey.FACTS, MlflowKey.GUIDELINES):
        texts = expectations.get(key)
        if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
            add("llm-rubric", key, texts)
            told.add(key)
    if isinstance(calls, list) and calls and all(isinstance(call, dict) and "name" in call for call in calls):
        add(
            "tool-call-f1", MlflowKey.TOOL_CALLS, [[call["name"] for call in calls]]
        )  # the arguments are in the metadata
    return made, told


class PromptfooWriter:
    """Writes the tests one after another, so that a list of any length takes no memory."""

    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        self._handle = handle

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        tests = [test_of(case) for case in cases]
        if tests:
            text = yaml.dump(tests, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
            self._handle.write(text.encode())

    def close(self, count: int) -> None:
        if not count:
            self._handle.write(b"[]\n")


FORMAT = ExportFormat(ending="_promptfoo.yaml", open=PromptfooWriter)
