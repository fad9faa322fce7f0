"""Sentences of the package, looked through for two kinds of slips: a number with the wrong form of its noun, and words that only
the code knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dsbuilder_tui.agent.tool_registry import tool_kinds
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

PACKAGE = Path(__file__).resolve().parents[1] / "dsbuilder_tui"
NOUNS = (
    "cases|batches|checkpoints|slots|calls|workers|rows|categories|branches|candidates|messages|files|axes|combinations|tokens|"
    "rejections|passages|documents|templates|tools|sessions|pairs|verdicts|questions|sources|labels|stages"
)
_PLURAL = re.compile(rf"^ (?:more |accepted |earlier |open )?({NOUNS})\b(?!/)")
# Where the number is never 1, or is no number of these things.
NEVER_ONE = {
    "is told from two on": (
        "dedup/report.py", "domain/conversation.py", "generation/duplicate_check.py", "lint/dataset_check.py", "session/review.py", "cli/headless_conversation.py",
        "offline/planner/category_mentions.py", "offline/planner/changes.py", "offline/planner/passage_requests.py",
        "offline/planner/proposal.py", "offline/planner/understand.py", "tui/studio/plan_card_paint.py",
    ),
    "a server's or a model's, in many thousands": (
        "diversity/static_embedding.py", "diversity/static_table.py", "agent/agent_model.py", "models/endpoint_probe.py",
        "wording.py", "offline/writer/pacer.py",
    ),
    "for a model": ("generation/template_prompt.py",),
}  # fmt: skip


def _strings(tree: ast.AST) -> Iterator[tuple[int, list[ast.expr]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, node.values


def uncounted(path: Path) -> list[str]:
    """The places of a file where a number stands before a plural that was not made by ``counted``."""
    found = []
    for line, parts in _strings(ast.parse(path.read_text(encoding="utf-8"))):
        for before, after in pairwise(parts):
            if isinstance(before, ast.FormattedValue) and isinstance(after, ast.Constant):
                said = _PLURAL.match(str(after.value))
                shown = ast.unparse(before.value)
                # A name or a word before the noun is no number: “the shop's cases”.
                if said and not re.search(
                    r"counted\(|words|name|category\b|kind|what|mark|join|replace|^_?[A-Z_]+$", shown
                ):
                    found.append(f"{path.name}:{line} {{{shown}}}{after.value}")
    return found


def test_a_number_has_the_right_form_of_its_noun() -> None:
    assert [counted(n, noun) for n, noun in ((1, "case"), (2, "batch"), (1, "branch"), (3, "category"), (0, "case"))] == [
        "1 case", "2 batches", "1 branch", "3 categories", "0 cases",
    ]  # fmt: skip
    allowed = {name for names in NEVER_ONE.values() for name in names}
    wrong = {str(path.relative_to(PACKAGE)): uncounted(path) for path in sorted(PACKAGE.rglob("*.py"))}
    assert {name: found for name, found in wrong.items() if found and name not in allowed} == {}
    assert {name for name in allowed if not wrong[name]} == set(), "these need no exception any more"


def test_a_slip_of_a_number_is_found(tmp_path: Path) -> None:
    source = tmp_path / "slip.py"
    source.write_text("said = f\"{count} cases, {n:,} open slots, {counted(n, 'case')} and {name} rows\"")
    assert len(uncounted(source)) == 2


_CODE = re.compile(
    r"(?<![\w`./{<-])[a-z]+(?:_[a-z0-9]+)+(?![\w`./}>=-])|Tell the person|\b(?:None|True|False)\b(?! of)"
)
_SAID = {"ToolAnswer", "InputError", "PlanError", "StorageError", "SessionInUse", "Interpretation", "DataAnswer", "tell", "say",
         "complain", "notify", "call_attention", "QuestionDialog", "Ask", "warn"}  # fmt: skip
# Rooms whose words reach a person who talks in the app.
ROOMS = ("agent", "tui", "offline", "session")
_PYTHON_ALONE = ("agent/builder.py", "session/plan_files.py")  # called by programs


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_of_the_app_uses_words_of_the_code(room: str) -> None:
    """A setting may be named, as the settings name it; a tool or an argument of one may not."""
    settings = set(DatasetBuilderConfig.model_fields) | {"input_fields"}
    found = []
    for path in sorted((PACKAGE / room).rglob("*.py")):
        if str(path.relative_to(PACKAGE)) in _PYTHON_ALONE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _SAID:
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    text = _text(argument)
                    words = set(_CODE.findall(text)) - settings - {"my_bot"} if " " in text else set()
                    if {word for word in words if not text.startswith(f"{word}{{}}")}:
                        found.append(f"{path.name}:{node.lineno} {sorted(words)} {text[:100]!r}")
    assert found == []


def test_the_replies_of_the_planner_name_no_tool() -> None:
    from dsbuilder_tui.offline.planner.intent_table import intent_table
    from dsbuilder_tui.offline.planner.replies import _AFTER

    names = {tool.name for tool in tool_kinds() if "_" in tool.name}  # “undo” is a word as well
    table = intent_table()
    said = [
        *(entry.means for entry in table.glossary),
        *table._replies.values(),
        *_AFTER.values(),
        *(text for one in table.small_talk for text in (one.reply, one.planned)),
    ]
    assert [text for text in said if any(name in text for name in names)] == []
