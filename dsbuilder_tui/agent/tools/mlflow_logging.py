"""The logging of a session to MLflow, turned on or off."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall


class LogToMlflowArguments(ToolArguments):
    on: bool = True
    """False ends it; what is there stays."""


class LogToMlflow(Tool[LogToMlflowArguments]):
    name = "log_to_mlflow"
    order = 125
    description = (
        "Log the cases to MLflow as they are accepted, or stop. All that are there are sent, too. Where to is "
        "a setting (mlflow_tracking_uri, /mlflow URI); unset, a database of dsbuilder's own."
    )
    arguments = LogToMlflowArguments

    async def run(self, call: ToolCall, arguments: LogToMlflowArguments) -> ToolAnswer:
        session = call.host.session
        await session.settings.set("incremental_mlflow_logging", arguments.on)
        await session.tracking.begin()
        state = await session.tracking.state()
        if not arguments.on:
            return ToolAnswer("Nothing more is logged to MLflow; what is there stays.", {"logged": False})
        if state is None:
            return ToolAnswer("Nothing is logged: the person has to allow the address first.", {"logged": False})
        return ToolAnswer(f"Logged to MLflow: {state.words} · {state.link}", {"logged": True, **state.as_dict()})
