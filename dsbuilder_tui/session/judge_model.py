"""The judge's model for a whole session or file, asked from here or by the nodes of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.models.protocol import TextModel
from dsbuilder_tui.models.providers import require_judge
from dsbuilder_tui.settings.runner_names import RAY
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


@contextlib.asynccontextmanager
async def judge_for(config: DatasetBuilderConfig, tell: Callable[[Event], None]) -> AsyncIterator[TextModel]:
    """The model, for as long as the block lasts: with the runner ``ray`` a ``JudgeElsewhere``, which is to be opened.

    ``tell`` hears of nodes that come and go. Raises ``InputError`` where no model could judge, or Ray is not installed.
    """
    model = require_judge(config)
    try:
        if config.runner != RAY:
            yield model
            return
        from dsbuilder_tui.generation.runners.node_judge import NodeJudge

        judge = NodeJudge(model, config, tell)
        try:
            yield judge
        finally:
            await judge.close()
    finally:
        await model.close()
