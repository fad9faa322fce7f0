"""``/model``: show or choose the workers' model, or the agent's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _model(actions: StudioActions, argument: str) -> None:
    live = actions.live
    config = live.session.config
    main, _, name = argument.partition(" ")
    whose = ("model", "Main agent", name.strip()) if main == "main" else ("worker_model", "Workers", argument)
    if not whose[2]:
        agent, workers = live.models.split(" › ")
        await live.tell(
            f"Main agent: {agent}. Workers: {workers}. /model NAME chooses the workers', /model main NAME the agent's; "
            "^K → settings for the endpoint and the key."
        )
        return
    field, words, chosen = whose
    await actions.services.change_session(live, {field: chosen})
    later = ", from the next run on" if live.running and field == "worker_model" else ""
    if provider_of(config).model_name is not None:
        later += "; no endpoint is connected yet, so what is built in does it still"
    await live.tell(f"✓ {words}: {chosen}{later}")


def _models(session: Session) -> list[str]:
    return [session.config.worker_model, session.config.model]


COMMAND = SlashCommand(
    name="model",
    argument="[main] [NAME]",
    arguments=_models,
    words="show or choose the workers' model, or the agent's",
    rank=140,
    run=_model,
)
