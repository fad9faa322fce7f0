"""“Write 30 more where it fails”, without a model."""

from __future__ import annotations

import pytest

from dsbuilder_tui.offline.planner.failure_requests import failing_in
from dsbuilder_tui.offline.planner.utterance import hear


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("write 30 more where it fails", 30),
        ("Add 12 cases where the bot fails.", 12),
        ("please give me another 5 harder cases where it still fails", 5),
        ("40 more where the application is weak", 40),
        ("write thirty more where it fails", 30),
        ("write 30 more refunds", None),
        ("write 0 more where it fails", None),
        ("where does it fail?", None),
    ],
)
def test_the_order_is_understood(said: str, more: int | None) -> None:
    found = failing_in(hear(said))
    acts = [] if found is None else [(act.tool, act.arguments) for act in found.acts]
    assert acts == ([] if more is None else [("write_where_it_fails", {"more": more})])
