"""Pairs by the built-in writer: one thing changed, or other words with the same values; and what is expected then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_pair import CasePair, PairKind, PairSide, pair_of
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan

Configs = Callable[..., DatasetBuilderConfig]
SHOP = {
    "dataset_name": "shop", "write": ["expected_facts", "guidelines", "expected_tool_calls"],
    "target": {"tools": {"lookup_order": ["order_id: str"], "start_refund": ["order_id: str", "amount: float | None"]}},
    "categories": [
        {"name": "order_status", "count": 40, "contrast": 0.2, "same": 0.2, "expected_tools": ["lookup_order"],
         "example_inputs": ["Where is my order #12345?", "Has order #4411-A been shipped yet?"],
         "expectations": {"contains_order_id": True}},
        {"name": "refunds", "count": 40, "contrast": 0.2, "same": 0.2, "expected_tools": ["start_refund"],
         "example_inputs": ["I want my $40 back for order #12345.", "I paid $80 on March 3, when do I get it back?"]},
        {"name": "out_of_scope", "description": "Out of scope", "count": 20, "contrast": 0.2, "same": 0.2,
         "example_inputs": ["Can you write a poem about the sea?"]},
    ],
}  # fmt: skip
LANGUAGES = {
    "dataset_name": "languages", "write": ["expected_response", "guidelines"],
    "categories": [
        {"name": name, "count": 30, "contrast": 0.2, "same": 0.1, "example_inputs": examples}
        for name, examples in (
            ("german", ["Wo ist meine Bestellung 12345?", "Ich möchte meinen Termin verschieben."]),
            ("spanish", ["¿Dónde está mi pedido 12345?", "Quiero cambiar la fecha de mi cita."]),
            ("french", ["Où est ma commande 12345 ?", "Je voudrais déplacer mon rendez-vous."]),
        )
    ],
}  # fmt: skip

Pair = tuple[AcceptedCase, AcceptedCase, CasePair]


async def written(plan: dict[str, Any] | DatasetPlanInput, config: DatasetBuilderConfig) -> list[Pair]:
    """The pairs of a complete run: original, partner, pair."""
    parsed = plan if isinstance(plan, DatasetPlanInput) else parse_plan(plan)
    async with await Session.create(parsed, config) as session:
        result = await session.run()
        assert (result.state, result.exhausted) == ("complete", 0)
        cases = {case.case_id: case async for case in session.cases.all()}
    found = []
    for case in cases.values():
        pair = pair_of(case.tags)
        if pair is not None and pair.side is PairSide.PARTNER:
            found.append((cases[pair.other], case, pair))
    return found


@pytest.fixture
def config(make_config: Configs) -> DatasetBuilderConfig:
    return make_config(provider="offline", max_workers=3, batch_size=7)


async def test_each_kind_as_often_as_asked_for(config: DatasetBuilderConfig) -> None:
    for plan in (SHOP, LANGUAGES):
        pairs = await written(plan, config)
        planned = Counter[PairKind]()
        for category in parse_plan(plan).categories:
            planned += Counter(category.pairs.counts(category.count))
        assert Counter(pair.relation for *_, pair in pairs) == planned


async def test_a_contrast_changes_one_thing_and_what_is_expected(config: DatasetBuilderConfig) -> None:
    for original, partner, pair in await written(SHOP, config):
        if pair.relation is not PairKind.CONTRAST:
            continue
        before, after = original.inputs["query"], partner.inputs["query"]
        assert before != after and pair.changed and pair.change
        old, new = (text.replace(".", "").split() for text in (before, after))
        if " instead of " in pair.changed:  # a value took the place of another one
            value, was = pair.changed.split(" instead of ")
            assert after == before.replace(was, value)
        else:  # a sentence was added, everything else stands as it was
            first = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
            assert old == new[:first] + new[len(new) - (len(old) - first) :]
        assert partner.expectations["guidelines"] != original.expectations["guidelines"]
        assert partner.expectations["expected_facts"] != original.expectations["expected_facts"]


async def test_where_nothing_may_be_done_no_tool_is_called(config: DatasetBuilderConfig) -> None:
    without = 0
    for original, partner, pair in await written(SHOP, config):
        if pair.relation is PairKind.CONTRAST and pair.change in ("negation", "right"):
            assert "expected_tool_calls" not in partner.expectations
            assert "contains_order_id" not in partner.expectations
            without += "expected_tool_calls" in original.expectations
    assert without >= 5


async def test_a_changed_amount_is_the_amount_of_the_call(make_config: Configs) -> None:
    plan = {
        **SHOP,
        "categories": [{**SHOP["categories"][1], "count": 80, "example_inputs": ["I want my $40 back for order #12345."]}],  # type: ignore[index]
    }  # fmt: skip
    seen = 0
    for _, partner, pair in await written(plan, make_config(provider="offline")):
        if pair.change == "amount" and (calls := partner.expectations.get("expected_tool_calls")):
            amount = calls[0].get("arguments", {}).get("amount")
            text = partner.inputs["query"]
            assert amount is None or f"{amount:,}" in text
            seen += amount is not None
    assert seen


@pytest.mark.parametrize("plan", [SHOP, LANGUAGES], ids=["english", "others"])
async def test_a_paraphrase_has_the_same_values_and_the_same_expectations(
    plan: dict[str, Any], config: DatasetBuilderConfig
) -> None:
    values = re.compile(r"#?\b[\w-]*\d[\w-]*\b|\$[\d.,]+\d")
    pairs = [pair for pair in await written(plan, config) if pair[2].relation is PairKind.SAME]
    assert len(pairs) >= 9
    for original, partner, _ in pairs:
        assert partner.expectations == original.expectations
        assert partner.inputs != original.inputs
        before, after = (set(values.findall(case.inputs["query"].lower())) for case in (original, partner))
        assert before <= after or after <= before  # an opening may name a number of minutes


async def test_pairs_do_not_depend_on_the_number_of_workers(make_config: Configs) -> None:
    found = [
        [(o.inputs, p.inputs, p.expectations) for o, p, _ in await written(SHOP, make_config(provider="offline", **more))]
        for more in ({"max_workers": 1, "batch_size": 20}, {"max_workers": 6, "batch_size": 3})
    ]  # fmt: skip
    assert found[0] == found[1]


async def test_pairs_from_documents(make_config: Configs) -> None:
    text = "\n\n".join(
        f"# Rule {n}\n\nItem {n} of the {word} department can be returned within {n + 10} days of delivery. A receipt is needed."
        for n, word in enumerate("garden kitchen music sports books toys shoes lamps coats bikes".split(), 1)
    )
    Path("rules.md").write_text(text)
    plan = {
        "dataset_name": "rules", "sources": ["rules.md"],
        "categories": [{"name": "returns", "count": 20, "contrast": 0.2, "same": 0.2, "write": ["guidelines"]}],
    }  # fmt: skip
    pairs = await written(plan, make_config(provider="offline"))
    assert Counter(pair.relation for *_, pair in pairs) == {PairKind.CONTRAST: 4, PairKind.SAME: 4}
    for original, partner, _ in pairs:
        assert partner.tags["sources"] == original.tags["sources"] and partner.tags["evidence"]


async def test_without_anything_that_could_differ_it_is_said_at_once(make_config: Configs) -> None:
    plan = parse_plan({
        "dataset_name": "x",
        "categories": [{"name": "a", "count": 20, "contrast": 0.1, "example_inputs": "Where is it?", "expectations": {"ok": 1}}],
    })  # fmt: skip
    async with await Session.create(plan, make_config(provider="offline")) as session:
        with pytest.raises(InputError, match="contrast pairs"):
            await session.run()


async def test_of_two_requests_the_tools_are_called_in_their_order(make_config: Configs) -> None:
    plan = parse_plan({
        **SHOP,
        "categories": [
            {"name": "refunds", "count": 30, "attributes": {"situation": ["several intents"]},
             "example_inputs": ["I want my $40 back for order #12345."], "expected_tools": ["lookup_order", "start_refund"]},
            {"name": "passwords", "count": 5, "example_inputs": ["How do I reset my password?"],
             "expected_tools": ["send_reset_link"]},
        ],
        "target": {},
    })  # fmt: skip
    several = 0
    async with await Session.create(plan, make_config(provider="offline")) as session:
        await session.run()
        async for case in session.cases.all():
            names = [call["name"] for call in case.expectations.get("expected_tool_calls", [])]
            if case.category == "refunds" and names:
                assert names[:2] == ["lookup_order", "start_refund"] and names[2:] in ([], ["send_reset_link"])
                several += len(names) == 3
    assert several >= 5
