"""A file of rows becomes a dataset: a plan of what is there, every row a case, and room for more where it is wanted."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.domain.case import IMPORTED_FROM
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.row_import import add_rows, extend_rows, import_rows, in_proportion, plan_name
from dsbuilder_tui.sources.rows.varied_texts import varied_texts
from dsbuilder_tui.store.imports.import_formats import read_dataset
from tests.support.row_files import HOURS, POOL, SHAPES, containers, json_lines, put

TOPICS = {
    "parcel": "My parcel {n} has not arrived, where is the parcel?",
    "password": "I forgot the password of account {n}, can you reset the password?",
    "invoice": "The invoice {n} shows a wrong amount, please correct the invoice.",
}


def questions(count: int = 20) -> list[dict[str, str]]:
    return [{"question": text.format(n=n), "answer": "Yes."} for n in range(count) for text in TOPICS.values()]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_becomes_a_dataset(name: str, tmp_path: Path) -> None:
    records, wanted = SHAPES[name]
    for file in ("rows.jsonl", "indented.json", "rows.yaml"):
        dataset = read_dataset(put(tmp_path, file, containers(records)[file]))
        assert [case.expectations for case in dataset.cases] == [row.expectations for row in wanted]
        assert [{k: v for k, v in case.inputs.items() if v != ""} for case in dataset.cases] == [
            r.inputs for r in wanted
        ]
        assert {case.category for case in dataset.cases} == {row.category or "cases" for row in wanted}
        assert [case.tags.get("imported_case_id") for case in dataset.cases] == [row.id for row in wanted]
        assert dataset.plan.total_instances == len(wanted) and not {"case_id", "slot"} & set(dataset.cases[0].tags)
        assert all(case.tags[IMPORTED_FROM] == file for case in dataset.cases)


def test_lines_that_give_no_row_are_told(tmp_path: Path) -> None:
    path = put(
        tmp_path, "my old cases.jsonl", json_lines([{"input": POOL}, {"other": 1}, {"input": POOL}]) + b"{broken\n"
    )
    dataset = import_rows(path)
    assert dataset.plan.dataset_name == "my old cases" and len(dataset.cases) == 2
    told = "; ".join(dataset.notes)
    assert (
        "2 lines left out (line 2: no field inputs; line 4: not JSON" in told
        and "1 row with the text of another" in told
    )


def test_names_that_a_plan_does_not_take(tmp_path: Path) -> None:
    names = ["a/b: c?", "../..", "CON", "x" * 300, "Ärger & Frust", "\x1b[2J", "rooms", "Rooms"]
    dataset = import_rows(
        put(tmp_path, "...jsonl", json_lines([{"input": f"q{n}", "category": c} for n, c in enumerate(names)]))
    )
    assert [c.name for c in dataset.plan.categories] == ["a b c", "cases", "x" * 64, "Ärger Frust", "2J", "rooms"]
    assert sum(c.count for c in dataset.plan.categories) == len(names)


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_none(text: str) -> None:
    name = plan_name(text, "otherwise")
    parse_plan({"dataset_name": name, "categories": [{"name": name, "count": 1}]})


def test_fields_of_all_rows(tmp_path: Path) -> None:
    records = [{"inputs": {"query": POOL, "goal": "swim"}}, {"inputs": {"query": HOURS, "who.is": "guest"}}]
    dataset = import_rows(put(tmp_path, "x.jsonl", json_lines(records)))
    assert list(dataset.plan.input_fields) == ["query", "goal_", "who.is"]
    assert dataset.cases[1].inputs == {"query": HOURS, "goal_": "", "who.is": "guest"}
    named = import_rows(put(tmp_path, "y.jsonl", json_lines([{"a": {"text": POOL}}])), FieldChoice(("a.text",)))
    assert named.cases[0].inputs == {"text": POOL}


def test_dots_in_a_name_and_digits_of_a_number_stay(tmp_path: Path) -> None:
    many = 2**64
    record = {"inputs": {"user.text": POOL, "user": {"no.": many, "id": many - 1}}, "expectations": {"order.id": -many}}
    kept = {"user.text": POOL, "user": {"no.": str(many), "id": many - 1}}
    for file in ("rows.jsonl", "indented.json", "rows.yaml"):
        path = put(tmp_path, file, containers([record])[file])
        for dataset in (import_rows(path), extend_rows(path, 2)):
            assert dataset.cases[0].inputs == kept and dataset.cases[0].expectations == {"order.id": str(-many)}
    dataset = import_rows(path, FieldChoice(fields=("user.no.",)))  # a path that somebody chose has a short name
    assert list(dataset.cases[0].inputs.values()) == [str(many)]
    assert import_rows(path, FieldChoice(fields=("inputs.user.id",))).cases[0].inputs == {"id": many - 1}


def test_too_many_categories(tmp_path: Path) -> None:
    path = put(tmp_path, "x.jsonl", json_lines([{"input": f"q{n}", "category": f"c{n}"} for n in range(300)]))
    assert [c.count for c in import_rows(path).plan.categories] == [300]
    with pytest.raises(InputError, match="category has 300 values"):
        import_rows(path, FieldChoice(category_field="category"))


def test_rows_without_categories_are_grouped_by_what_they_are_about(tmp_path: Path) -> None:
    dataset = extend_rows(put(tmp_path, "old.jsonl", json_lines(questions())), 30)
    groups = {
        frozenset(word for word in TOPICS if word in case.inputs["question"]): case.category for case in dataset.cases
    }
    assert len(groups) == 3 and len(set(groups.values())) == 3, "each topic is a category"
    assert all(next(iter(topic)) in name for topic, name in groups.items()), "named after its words"
    assert dataset.plan.total_instances == 90 and len(dataset.cases) == 60
    assert [entry.key for entry in dataset.plan.write] == ["expected_response"]
    for category in dataset.plan.categories:
        assert len(category.example_inputs) == 5 and category.count == 30
    assert dataset == extend_rows(tmp_path / "old.jsonl", 30), "the same file gives the same plan"


def test_categories_of_the_rows_stay(tmp_path: Path) -> None:
    records = [
        {"input": f"{text} {n}", "category": c} for n in range(10) for text, c in ((POOL, "rooms"), (HOURS, "meals"))
    ]
    dataset = extend_rows(put(tmp_path, "x.jsonl", json_lines([*records, *records[:10:2]])), 10)
    assert [(c.name, c.count) for c in dataset.plan.categories] == [("rooms", 21), ("meals", 14)]


@given(st.integers(0, 1000), st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    parts = in_proportion(total, weights)
    assert sum(parts) == total
    assert all(abs(part - total * weight / sum(weights)) < 1 for part, weight in zip(parts, weights, strict=True))


def test_a_varied_few() -> None:
    texts = ["where is it", "where is it", "where is it now", "cancel my plan", "pay by card"]
    assert varied_texts(texts, 3) == [0, 3, 4] and varied_texts(texts[:2], 3) == [0] and varied_texts([], 3) == []


def test_rows_before_the_cases_of_a_plan(tmp_path: Path) -> None:
    plan = parse_plan({"dataset_name": "d", "categories": [{"name": "rooms", "count": 5, "example_inputs": ["Hi"]}]})
    path = put(
        tmp_path, "x.jsonl", json_lines([{"input": POOL, "category": "Rooms"}, {"input": HOURS, "category": "meals"}])
    )
    dataset = add_rows(plan, path)
    assert [(c.name, c.count) for c in dataset.plan.categories] == [("rooms", 6), ("meals", 1)]
    assert [case.inputs for case in dataset.cases] == [{"query": POOL}, {"query": HOURS}], "the plan's one field"
    bare = put(tmp_path, "y.jsonl", json_lines([{"input": POOL}]))
    assert [(c.name, c.count) for c in add_rows(plan, bare).plan.categories] == [("rooms", 6)]
    two = parse_plan({"dataset_name": "d", "input_fields": ["a", "b"], "categories": [{"name": "rooms", "count": 5}]})
    with pytest.raises(InputError, match="have the fields input, the plan has a, b"):
        add_rows(two, bare)


def test_a_checkpoint_under_another_name_is_one(tmp_path: Path) -> None:
    whole = {"dataset_name": "d", "dataset_plan": {"dataset_name": "d", "categories": [{"name": "c", "count": 3}]},
             "created_instances": [{"inputs": {"query": POOL}, "tags": {"category": "c"}}]}  # fmt: skip
    dataset = read_dataset(put(tmp_path, "saved.json", json.dumps(whole).encode()))
    assert dataset.plan.total_instances == 3 and len(dataset.cases) == 1


def test_what_an_import_holds_in_memory_is_flat(tmp_path: Path) -> None:
    """A row takes some bytes to its place, however long it is; a plug-in's cases are checked in a byte for each slot."""

    def held(rows: int) -> int:
        records = (
            {"input": f"What of {n}? {'so it goes ' * 40}", "category": f"c{n % 3}", "id": n} for n in range(rows)
        )
        path = put(tmp_path, f"{rows}.jsonl", json_lines(records))
        tracemalloc.start()
        dataset = read_dataset(path)
        assert len(dataset.cases) == rows == sum(1 for _ in dataset.cases)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    held(100)  # what is loaded once
    few, many = held(500), held(5_500)
    assert (many - few) / 5_000 < 150, "bytes a row"


def test_the_file_may_change_once_it_is_read(tmp_path: Path) -> None:
    path = put(
        tmp_path, "rows.jsonl", json_lines([{"input": POOL, "category": "b"}, {"input": HOURS, "category": "a"}])
    )
    dataset = import_rows(path)
    path.unlink()
    assert [(case.category, *case.inputs.values()) for case in dataset.cases] == [("b", POOL), ("a", HOURS)]
    assert dataset.cases[-1] == list(dataset.cases)[1] and dataset.cases[:1] == list(dataset.cases)[:1]
    with pytest.raises(IndexError):
        dataset.cases[2]
