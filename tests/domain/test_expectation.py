"""What is written for each case, in a plan."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.expectation import ExpectationType, MlflowKey
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched
from dsbuilder_tui.domain.target import ParameterType, ToolSchema


def plan_with(own: Any = None, **plan: Any) -> DatasetPlanInput:
    category = {"name": "c", "count": 2, "example_inputs": "Where is my order #12345?"}
    return parse_plan({"dataset_name": "d", "categories": [category | ({"write": own} if own else {})], **plan})


@pytest.mark.parametrize(
    ("write", "keys"),
    [
        ("expected_facts", ["expected_facts"]),
        (["expected_facts", "guidelines"], ["expected_facts", "guidelines"]),
        ([{"priority": "how urgent it is"}], ["priority"]),
        ([{"priority": {"values": ["low", "high"]}}], ["priority"]),
        ({"priority": "how urgent", "steps": {"type": "list", "meaning": "what is done"}}, ["priority", "steps"]),
        ([{"key": "score", "type": "int", "meaning": "1 to 5"}], ["score"]),
        ([{"expected_facts": {"type": "list", "meaning": "out of the policy"}}], ["expected_facts"]),
    ],
)
def test_keys_can_be_said_in_short(write: Any, keys: list[str]) -> None:
    plan = plan_with(write)
    assert [one.key for one in plan.written_for(plan.categories[0])] == keys
    assert parse_plan(plan.model_dump(mode="json")) == plan


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (["priority"], "say what it means"),
        (["expected_facts", "expected_facts"], "names 'expected_facts' twice"),
        ([{"priority": {"type": "colour", "meaning": "x"}}], "input should be 'text'"),
        ([{"priority": {"typ": "text", "meaning": "x"}}], "did you mean type?"),
        ([{"expected_facts": {"values": ["a"]}}], "take `values` out"),
        ([7], "write[0]"),
        ([{"": "x"}], "must be a name"),
    ],
)
def test_what_is_no_key_is_named(write: Any, reason: str) -> None:
    with pytest.raises(PlanError) as error:
        plan_with(write)
    assert reason in str(error.value)


def test_a_plan_without_them_is_written_as_before() -> None:
    data = plan_with().model_dump(mode="json")
    assert "write" not in data and "target" not in data and "write" not in data["categories"][0]


def test_the_whole_plan_has_keys_and_a_category_has_its_own_say() -> None:
    plan = plan_with(
        [{"expected_facts": "from the policy"}, "expected_tool_calls"], write=["expected_facts", "guidelines"]
    )
    found = plan.written_for(plan.categories[0])
    assert [one.key for one in found] == ["expected_facts", "guidelines", "expected_tool_calls"]
    assert "from the policy" in found[0].words and found[0].of_mlflow is MlflowKey.FACTS


def test_an_own_key_says_what_it_takes() -> None:
    (one,) = plan_with([{"urgent": {"type": "bool", "meaning": "whether it is", "optional": True}}]).categories[0].write
    assert one.type is ExpectationType.BOOLEAN and one.of_mlflow is None
    assert one.words == "true or false: whether it is; null if none"


BEFORE = plan_with(["expected_facts"], write=["guidelines"], target={"rules": "Be kind.", "tools": {"f": ["x: int"]}})


@pytest.mark.parametrize(
    "after",
    [
        plan_with(),
        plan_with([{"p": {"type": "number", "meaning": "m"}}]),
        plan_with(["expected_facts"], target={"tools": {"g": {"properties": {"x": {"type": "string"}}}}}),
    ],
)
def test_a_change_of_them_is_a_patch(after: DatasetPlanInput) -> None:
    for one, other in ((BEFORE, after), (after, BEFORE)):
        patch = PlanPatch(**PlanPatch.between(one, other).arguments())
        assert patched(one, patch, {}).plan == other


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("order_id: str", "order_id: string"),
        ("limit: int = 5 — how many", "limit: integer (optional)"),
        ("when: str | None = None", "when: string (optional)"),
        ("when: Optional[str]", "when: string"),
        ("unit: Literal['km', 'mi'] = 'km'", "unit: one of km, mi (optional)"),
        ("kind: one of new, used (optional)", "kind: one of new, used (optional)"),
        ("tags: list[str]", "tags: array"),
        ("options: dict[str, int] | None = None", "options: object (optional)"),
        ("order_id (string)", "order_id: string"),
        ("order: Order", "order"),
        ("note?: string", "note: string (optional)"),
    ],
)
def test_parameters_are_read_as_code_and_schemas_write_them(written: str, words: str) -> None:
    known = ToolSchema(parameters=(written,)).known_parameters()
    assert known is not None and [parameter.words for parameter in known] == [words]


@pytest.mark.parametrize(
    "parameters", [["a: int", "… 3 more"], ["a", "**more"], {"properties": {}, "additionalProperties": True}]
)
def test_a_tool_that_takes_more_than_is_known_takes_anything(parameters: Any) -> None:
    assert ToolSchema.model_validate({"parameters": parameters}).known_parameters() is None


def test_a_json_schema_says_what_is_needed() -> None:
    tool = ToolSchema.model_validate(
        {
            "type": "object",
            "properties": {"id": {"type": "string"}, "n": {"type": ["integer", "null"]}},
            "required": ["id"],
        }
    )
    known = tool.known_parameters()
    assert known is not None and [(p.name, p.type, p.required) for p in known] == [
        ("id", ParameterType.STRING, True),
        ("n", ParameterType.INTEGER, False),
    ]
    assert ToolSchema.model_validate("finds an order").signature("find") == "find(…): finds an order"
