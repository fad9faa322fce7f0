"""Verdicts on a dataset file, for the command line and the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation import file_judging
from dsbuilder_tui.generation.file_judging import FileVerdicts, verdicts_beside
from dsbuilder_tui.models.protocol import TextModel
from dsbuilder_tui.models.providers import require_judge
from dsbuilder_tui.settings.runner_names import LOCAL
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.field_choice import FieldChoice

__all__ = ["FileVerdicts", "judge_file", "verdicts_beside"]


async def judge_file(
    source: Path | str,
    out: Path,
    config: DatasetBuilderConfig | None = None,
    *,
    choice: FieldChoice | None = None,
    plan: DatasetPlanInput | None = None,
    told: Callable[[FileVerdicts], None] = lambda found: None,
    tell: Callable[[Event], None] = lambda event: None,
) -> FileVerdicts:
    """Judge the rows of a file by the configuration's judge, and write their verdicts to ``out``.

    ``choice`` names the fields where the file's shape does not say what the application receives. With the runner ``ray`` the
    nodes of a cluster make the calls, and ``tell`` hears of those that come and go. Raises as
    ``generation.file_judging.judge_file``, ``InputError`` where there is no model that could judge, or no such runner, and
    ``EndpointUnavailable`` or ``EndpointRefused`` for a cluster that cannot be joined.
    """
    config = config or DatasetBuilderConfig()
    model = require_judge(config)
    try:
        async with _asked(model, config, tell) as asked:
            return await file_judging.judge_file(source, out, asked, config, choice=choice, plan=plan, told=told)
    finally:
        await model.close()


def _asked(
    model: TextModel, config: DatasetBuilderConfig, tell: Callable[[Event], None]
) -> AbstractAsyncContextManager[TextModel]:
    """The model from here, or as the nodes of a cluster ask it."""
    if config.runner == LOCAL:
        return nullcontext(model)
    from dsbuilder_tui.generation.runners.node_judge import judge_on_nodes

    return judge_on_nodes(model, config, tell)
