"""What an export may not do: start a formula in a spreadsheet, or replace what is no file of its own folder."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import InputError, StorageError
from dsbuilder_tui.store.export.csv_table import FORMAT
from dsbuilder_tui.store.export.export_format import DatasetShape
from tests.support.process import command

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", "+49 170 12", "-", "=", "--5",
            " =1", "  @x", '"=1+1', '" +1"', "\n=1", "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1+1", "＋1+1", "－1+1", "＠SUM(A1)", "“=1”",
            "\x00=1", "﹦1", "−1+1", " -2+3"]  # fmt: skip
NUMBERS = ["-5", "+5", "-1.5e-7", "-.5", "-1,234.50", "12", " -5"]
TEXTS = ["Where is #1?", "a=b", "a =1", '"Where?"', "'=1", "", "ü", "1-2", "Mr. @x"]


def table(*values: Any, raw: bool = False, name: str = "query") -> list[list[str]]:
    handle = io.BytesIO()
    writer = FORMAT.open(handle, DatasetShape([name], ["=axis"], raw=raw))
    writer.write(
        [
            AcceptedCase(
                seq=n, category="=c", ordinal=n, inputs={name: value}, expectations={}, created_at=0.0, structure=None,
                tags={"attributes": {"=axis": "@tone"}, "note": "=x"},
            )
            for n, value in enumerate(values, 1)
        ]
    )  # fmt: skip
    writer.close(len(values))
    return list(csv.reader(io.StringIO(handle.getvalue().decode(), newline="")))


def test_a_cell_that_begins_like_a_formula_is_made_safe_and_numbers_stay_numbers() -> None:
    rows = table(*FORMULAS, *NUMBERS, *TEXTS)[1:]
    assert [row[3] for row in rows] == [f"'{text}" for text in FORMULAS] + NUMBERS + TEXTS
    assert {row[1] for row in rows} == {"'=c"} and {row[5] for row in rows} == {"'@tone"}
    assert [row[3] for row in table(-5, -1.5, 0, [-1], {"a": "=1"}, True, float("-inf"))[1:]] == [
        "-5", "-1.5", "0", "[-1]", '{"a": "=1"}', "true", "-Infinity",
    ]  # fmt: skip
    for row in table(*FORMULAS):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_raw_leaves_every_text_as_it_is() -> None:
    rows = table(*FORMULAS, *NUMBERS, *TEXTS, raw=True)[1:]
    assert [row[3] for row in rows] == FORMULAS + NUMBERS + TEXTS
    assert {(row[1], row[5]) for row in rows} == {("=c", "@tone")}


@pytest.fixture
async def finished(make_plan: Plans, make_config: Configs) -> Any:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()
        yield session


@pytest.fixture
def special(tmp_path: Path) -> Iterator[dict[str, Path]]:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.jsonl"))
        yield {"device": Path("/dev/null"), "pipe": tmp_path / "pipe.jsonl", "socket": tmp_path / "socket.jsonl"}


@pytest.mark.parametrize("kind", ["device", "pipe", "socket"])
async def test_no_device_pipe_or_socket_is_replaced(
    finished: Session, special: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    path = special[kind]
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    mode = path.lstat().st_mode
    for name in (path, link):
        for private in (False, True) if name is path else (False,):
            with pytest.raises((InputError, StorageError), match=r"not an ordinary file|in another place"):
                await finished.export(name, "jsonl", private=private)
    with pytest.raises(StorageError, match="not an ordinary file"), atomic_write(path) as handle:
        handle.write(b"x")
    assert path.lstat().st_mode == mode and link.is_symlink() and not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("exists", [True, False])
async def test_what_a_link_points_at_elsewhere_is_left_alone(finished: Session, tmp_path: Path, exists: bool) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    if exists:
        (there / "data.jsonl").write_text("mine")
    for number, goal in enumerate((there / "data.jsonl", Path("../there/data.jsonl"))):
        link = here / f"link{number}.jsonl"
        link.symlink_to(goal)
        with pytest.raises(InputError, match=r"is a link to .*there/data\.jsonl, in another place"):
            await finished.export(link)
        assert link.is_symlink()
    assert [path.read_text() for path in there.iterdir()] == (["mine"] if exists else [])


async def test_a_link_within_its_folder_stays_one(finished: Session, tmp_path: Path) -> None:
    (tmp_path / "newest.jsonl").symlink_to("of-today.jsonl")
    assert await finished.export(tmp_path / "newest.jsonl") == 3
    assert (tmp_path / "newest.jsonl").is_symlink()
    assert len((tmp_path / "of-today.jsonl").read_text().splitlines()) == 3


async def test_the_sessions_own_file_takes_the_place_of_a_link(finished: Session, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("mine")
    own = finished.folder / "x.jsonl"
    own.symlink_to(tmp_path / "mine.jsonl")
    await finished.export(own, private=True)
    assert not own.is_symlink() and (tmp_path / "mine.jsonl").read_text() == "mine"


def test_the_commands_refuse_before_they_work_and_raw_is_a_flag(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.jsonl").write_text("mine")
    (tmp_path / "link.jsonl").symlink_to("/dev/null")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link.jsonl").symlink_to("../there/mine.jsonl")
    place = ("--checkpoint-dir", "s")
    for name in ("pipe.jsonl", "link.jsonl", "here/link.jsonl"):
        begun = command("run", "--example", "customer_service", "--out", name, *place, cwd=tmp_path)
        assert begun.returncode == 2 and not (tmp_path / "s").exists(), begun.stdout
    plan = "dataset_name: sums\ncategories: [{name: sums, count: 1, example_inputs: 'What is 1 and 12345?'}]\n"
    (tmp_path / "plan.yaml").write_text(plan)
    assert command("run", "plan.yaml", *place, cwd=tmp_path).returncode == 0
    for name in ("pipe.jsonl", "link.jsonl", "here/link.jsonl"):
        done = command("export", "--out", name, *place, cwd=tmp_path)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    saved = json.loads((tmp_path / "s" / "sums_checkpoint.json").read_text())
    saved["created_instances"][0]["inputs"]["query"] = "=1+1"
    (tmp_path / "formula_checkpoint.json").write_text(json.dumps(saved))
    assert command("import", "formula_checkpoint.json", "--checkpoint-dir", "f", cwd=tmp_path).returncode == 0
    for more, first in (((), "'=1+1"), (("--raw",), "=1+1")):
        done = command("export", "--out", "x.csv", *more, "--checkpoint-dir", "f", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = list(csv.DictReader((tmp_path / "x.csv").open(newline="")))
        assert {row["inputs.query"] for row in rows} == {first}
    assert (tmp_path / "there" / "mine.jsonl").read_text() == "mine" and (tmp_path / "pipe.jsonl").is_fifo()
