"""A plan that waits for a yes, in plain lines: its categories, its axes with their values, and what differs."""

from __future__ import annotations

from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.cli.headless_conversation import plan_lines
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan


def _plan(**tones: list[str]) -> DatasetPlanInput:
    return parse_plan(
        {
            "dataset_name": "shop",
            "attributes": {"persona": ["student", "parent"]},
            "categories": [
                {"name": name, "count": 4, "example_inputs": ["Hello"], "attributes": {"tone": values}}
                for name, values in tones.items()
            ],
        }
    )


def test_the_axes_have_their_values_and_only_what_differs_is_a_change() -> None:
    before = _plan(refunds=["neutral", "polite"], orders=["neutral", "polite"])
    first = plan_lines(before, plan_content(before, 1))
    assert "    tone: neutral, polite" in first and "    persona: student, parent" in first
    after = _plan(refunds=["neutral", "angry"], orders=["neutral", "polite"])
    told = plan_lines(after, plan_content(after, 2, before))
    assert "    refunds tone: −polite +angry neutral" in told
    assert "    orders tone: neutral, polite" in told, "what is as it was is no change"
    assert told.index("    refunds tone: −polite +angry neutral") < told.index("    persona: student, parent")
