"""Tools are found in their folder: one more file there is one more tool, and nothing else changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent import tools
from dsbuilder_tui.agent.tool_registry import tool_kinds, tools_of
from tests.support.talking import calls, outcomes, says, talking

MODULE = '''
"""The count of the vowels in a text."""
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall

class CountVowelsArguments(ToolArguments):
    text: str

class CountVowels(Tool[CountVowelsArguments]):
    name = "count_vowels"
    description = "Count the vowels of a text."
    arguments = CountVowelsArguments
    effect = False

    async def run(self, call: ToolCall, arguments: CountVowelsArguments) -> ToolAnswer:
        return ToolAnswer(f"{sum(arguments.text.count(v) for v in 'aeiou')} vowels.")
'''


@pytest.fixture
def one_more_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "vowel_count.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(tools, "__path__", [*tools.__path__, str(tmp_path)])
    tool_kinds.cache_clear()
    yield
    tool_kinds.cache_clear()
    sys.modules.pop(f"{tools.__name__}.vowel_count", None)


@pytest.mark.usefixtures("one_more_file")
async def test_a_file_in_the_folder_is_a_tool(make_config: Callable[..., DatasetBuilderConfig]) -> None:
    assert tool_kinds()[-1].name == "count_vowels" and len(tool_kinds()) == 30
    counting = calls("count_vowels", {"text": "banana"}, call_id="v1")
    async with talking(make_config(), [counting], [says("Three.")]) as talk:
        parts = await talk.say("How many vowels has banana?")
        assert outcomes(parts) == [("count_vowels", True)]
        assert "3 vowels." in talk.told()


def test_every_file_of_the_folder_holds_a_tool() -> None:
    assert tools.__file__
    files = {path.stem for path in Path(tools.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {kind.__module__.rpartition(".")[2] for kind in tool_kinds()}
    assert len({kind.order for kind in tool_kinds()}) == len(tool_kinds()) == 28


def test_a_name_is_used_once() -> None:
    found = tool_kinds()[0]
    copy = ModuleType(found.__module__)
    copy.__dict__[found.__name__] = found
    with pytest.raises(ValueError, match=found.name):
        tools_of([copy, copy])
