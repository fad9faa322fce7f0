"""Results of evaluations in the app: read when a session is opened, shown in F3, and easy cases marked in F2."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.settings.stack import load_config
from tests.support.studio import studio
from tests.tracking.test_results import evaluated

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]


async def test_results_are_read_at_opening_and_shown(
    uri: str, make_plan: Callable[..., DatasetPlanInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    async with await Session.create(make_plan(3, 3), load_config()) as session:
        await session.run()
        await session.tracking.settle(60)
        for _ in range(2):
            await evaluated(uri, session, fails=["category_2"])
        assert not (await session.results.figures()).runs
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")

        async def were_read() -> bool:
            return (await user.session.results.figures()).easy == 3

        await user.until_async(were_read, 60)
        await user.press("f3")
        await user.sees("0 of 3 pass")
        await user.press("tab", *["down"] * 5)
        await user.sees("Easy: 3 cases pass each time")
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.sees("6 cases", "easy")
        await user.press("f")
        await user.at("QuestionDialog", "answers")
        await user.sees("only easy")
        await user.press(*["down"] * 8, "enter")
        await user.sees("3 cases · all categories · easy")
