"""Numbers about the session's data, counted by itself."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.data_question import DataPlace, DataQuestion, DataRow
from dsbuilder_tui.domain.sanitise import one_line

# How a person comes to the screen; with words to search for, by the command of that name.
_KEYS = {
    DataPlace.CASES: "F2", DataPlace.COVERAGE: "F3", DataPlace.CHECKPOINTS: "F4", DataPlace.REJECTED: "F5",
    DataPlace.WORKERS: "F6", DataPlace.SETTINGS: "/settings",
}  # fmt: skip


def _where(place: DataPlace, words: str) -> str:
    """``F2 shows more.``, ``“/cases angry” shows more.``; empty where there is nothing to see."""
    if place is DataPlace.CASES and words:
        return f"“/cases {one_line(words, 80)}” shows more."
    return f"{_KEYS[place]} shows more." if place in _KEYS else ""


def _row(row: DataRow) -> dict[str, Any]:
    told: dict[str, Any] = {"name": row.name}
    if row.count or not row.words:
        told["count"] = row.count
    return told | ({"of": row.of} if row.of is not None else {}) | ({"words": row.words} if row.words else {})


class AskData(Tool[DataQuestion]):
    name = "ask_data"
    order = 75
    description = (
        "Numbers from the session's data: counts by any filter and group, one case, the last rejected, repeats, thin categories, "
        "missing expectations, cost. Count nothing yourself."
    )
    arguments = DataQuestion
    effect = False

    def schema(self) -> dict[str, Any]:
        """The schema, without what a model writes no better for: it is sent with every step."""
        whole = super().schema()
        whole.pop("description", None)
        for field in whole["properties"].values():
            field.pop("maxLength", None)
            if field.get("default") == "":
                field.pop("default")
        whole["properties"]["what"].pop("description", None)
        return whole

    def doing(self, arguments: DataQuestion) -> str:
        return "counting"

    async def run(self, call: ToolCall, arguments: DataQuestion) -> ToolAnswer:
        answer = await call.host.session.data.ask(arguments)
        data: dict[str, Any] = {"rows": [_row(row) for row in answer.rows]}
        if answer.left_off:
            data["more_rows"] = answer.left_off
        if see := _where(answer.place, answer.words):
            data["see"] = see
        return ToolAnswer(answer.said, data)
