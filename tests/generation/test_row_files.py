"""Files and folders whose rows are an axis: every format, what is refused, and the order in which rows are handed out."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.row_axis import RowAxis
from dsbuilder_tui.sources.rows.named_rows import choose_rows, order_of, require_rows
from tests.support.product_table import table, write_csv


@pytest.fixture
def products(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "products.csv", table())


def _as_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _as_json(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"products": rows}))
    return path


def _as_gzip(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def _as_yaml(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"- sku: {r['sku']}\n  name: {r['name']}\n  price: '{r['price']}'\n" for r in rows))
    return path


def _as_wide_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "sku;name;price\n" + "".join(f"{r['sku']};{r['name']};{r['price']}\n" for r in rows)
    path.write_bytes(text.encode("utf-16"))
    return path


def _as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("p.csv", write_csv), ("p.jsonl", _as_jsonl), ("p.json", _as_json), ("p.jsonl.gz", _as_gzip), ("p.yaml", _as_yaml),
        ("wide.csv", _as_wide_csv), ("p.parquet", _as_parquet),
    ],
)  # fmt: skip
def test_rows_come_from_every_format(tmp_path: Path, name: str, write: Callable[..., Path]) -> None:
    path = write(tmp_path / name, table())
    axis = RowAxis(file=str(path), fields=("sku", "name", "price"))
    require_rows([axis])
    chosen = choose_rows({"a": axis}, {"a": 12}, 7)
    assert sorted(chosen.orders["a"]) == list(range(1, 13))
    assert {number: json.loads(body) for number, body in chosen.bodies.items()} == dict(enumerate(table(), 1))
    assert chosen.orders == choose_rows({"a": axis}, {"a": 12}, 7).orders
    assert chosen.orders != choose_rows({"a": axis}, {"a": 12}, 8).orders


def test_a_field_that_is_not_there_names_those_that_are(products: Path) -> None:
    with pytest.raises(InputError, match="no field 'prize'; its fields are sku, name, price"):
        require_rows([RowAxis(file=str(products), fields=("name", "prize"))])


def test_a_field_of_some_rows_alone_is_there(tmp_path: Path) -> None:
    file = _as_jsonl(tmp_path / "p.jsonl", [{"name": "a"}, {"name": "b"}, {"name": "c", "colour": {"outer": "red"}}])
    require_rows([RowAxis(file=str(file), fields=("colour.outer",))])
    chosen = choose_rows({"a": RowAxis(file=str(file), fields=("colour.outer",))}, {"a": 2}, 0)
    assert chosen.orders["a"] == [3, 3]


@pytest.mark.parametrize(
    "kind", ["nowhere", "folder", "pipe", "device", "secret", "link", "pdf", "empty", "numbers", "words"]
)
def test_what_is_no_file_of_rows_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / {"secret": "credentials.csv", "pdf": "p.pdf", "numbers": "n.json"}.get(kind, kind)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "link":
        write_csv(tmp_path / "credentials.csv", table())
        path.symlink_to(tmp_path / "credentials.csv")
    elif kind != "nowhere":
        content = {"pdf": b"%PDF-1.4 x", "empty": b"", "numbers": b"[1, 2, 3]", "words": b"Nothing but a few words.\n"}
        path.write_bytes(content.get(kind, b"a,b\n1,2\n"))
    with pytest.raises(InputError) as raised:
        require_rows([RowAxis(file=str(path))])
    assert path.name in str(raised.value)


@given(st.sets(st.integers(1, 10**6), min_size=1, max_size=40), st.integers(0, 120), st.integers(0, 40), st.integers())
def test_an_order_is_balanced_and_goes_on_as_it_began(rows: set[int], places: int, more: int, seed: int) -> None:
    order = order_of(sorted(rows), places, seed, "a")
    used = Counter(order)
    assert len(order) == places and max(used.values(), default=0) - min((used[row] for row in rows), default=0) <= 1
    assert order_of(sorted(rows, reverse=True), places + more, seed, "a")[:places] == order


def test_more_places_have_the_same_rows_in_front(tmp_path: Path) -> None:
    axis = RowAxis(file=str(write_csv(tmp_path / "many.csv", table(300))))
    whole = choose_rows({"a": axis}, {"a": 700}, 3).orders["a"]
    for places in (1, 2, 17, 299, 300, 301, 650):
        assert choose_rows({"a": axis}, {"a": places}, 3).orders["a"] == whole[:places]


def test_the_rows_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "products"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("# Products")
    rows = table()
    for number, part in enumerate((rows[:5], rows[5:])):
        text = "".join(json.dumps(row) + "\n" for row in part)
        (folder / "data" / f"train-0000{number}-of-00002.jsonl").write_text(text)
    axis = RowAxis(file=str(folder), fields=("name",))
    require_rows([axis])
    chosen = choose_rows({"prices": axis}, {"prices": len(rows)}, 7)
    assert sorted(json.loads(body)["sku"] for body in chosen.bodies.values()) == sorted(row["sku"] for row in rows)
    assert sorted(chosen.bodies) == list(range(1, len(rows) + 1)) and chosen.totals == {"prices": len(rows)}
    (folder / "data" / "train-00001-of-00002.jsonl").write_text(json.dumps(rows[0]) + "\n")
    assert choose_rows({"prices": axis}, {"prices": 3}, 7).digest != chosen.digest
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="without a dataset"):
        require_rows([RowAxis(file=str(tmp_path / "empty"))])
