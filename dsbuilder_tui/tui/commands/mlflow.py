"""``/mlflow``: how far the session is logged to MLflow, and where to look at it; have it logged, or read its evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.evaluation_words import result_lines
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _mlflow(actions: StudioActions, argument: str) -> None:
    live = actions.live
    wanted = argument.strip()
    if wanted == "results":
        lines = result_lines((await live.session.results.read()).figures)
        await live.tell("\n".join(f"- {line}" for line in lines) or "No evaluation of these cases is in MLflow yet.")
        return
    if wanted in ("on", "off"):
        await actions.services.change_session(live, {"incremental_mlflow_logging": wanted == "on"})
    elif wanted:
        values = {"mlflow_tracking_uri": wanted, "incremental_mlflow_logging": True}
        await actions.services.change_session(live, values)
    if wanted:
        await live.session.tracking.begin()
    state = await live.session.tracking.state()
    if state is None or not live.session.tracking.wanted:
        await live.tell(
            "This session is not logged to MLflow. `/mlflow on` does so, `/mlflow URI` to a server of yours."
        )
        return
    await live.tell(f"{'✓ ' if wanted else ''}MLflow: {state.words} · {state.link}")


COMMAND = SlashCommand(
    name="mlflow",
    argument="[on|off|results|URI]",
    choices=("on", "off", "results"),
    words="log the cases to MLflow; results of evaluations",
    rank=155,
    run=_mlflow,
)
