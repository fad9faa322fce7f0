"""Import formats are rows of a registry: a package that is installed adds one, and every way in to a file has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ConfigError, ExitCode, InputError
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.session.library import open_saved, saved_as
from dsbuilder_tui.store.export.formats import FORMATS
from dsbuilder_tui.store.imports.import_formats import IMPORT_FORMATS, import_format_of, read_dataset
from tests.support.plug_ins import install_plug_in, plugged_in

Configs = Callable[..., DatasetBuilderConfig]

MODULE = """
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.store.export.export_format import ExportFormat
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset, ImportFormat


def read(path):
    lines = path.read_text().splitlines()
    if not lines:
        raise InputError(f"{path} is empty.", "Write a question on each line.")
    plan = {"dataset_name": path.stem, "categories": [{"name": "asked", "count": len(lines) + 1}]}
    cases = [ImportedCase("asked", n, {"query": line}, {}, {}) for n, line in enumerate(lines, 1) if line != "skip"]
    return ImportedDataset(parse_plan(plan, str(path)), cases, notes=["one slot is open"])


def wrong(path):
    whole = read(path)
    def of(case):
        return ImportedDataset(whole.plan, [*whole.cases, case])
    return {
        "object": lambda: [whole],
        "category": lambda: of(ImportedCase("other", 1, {"query": "x"}, {}, {})),
        "outside": lambda: of(ImportedCase("asked", 9, {"query": "x"}, {}, {})),
        "twice": lambda: of(ImportedCase("asked", 1, {"query": "x"}, {}, {})),
        "fields": lambda: of(ImportedCase("asked", 3, {"question": "x"}, {}, {})),
        "json": lambda: of(ImportedCase("asked", 3, {"query": {1, 2}}, {}, {})),
        "raises": lambda: whole.nothing,
    }[path.read_text().splitlines()[-1]]()


def fail(*anything):
    raise RuntimeError("not today")


LINES = ImportFormat(ending=".asked", read=read)
WRONG = ImportFormat(ending=".wrong", read=wrong)
WRITER = ExportFormat(ending=".never", open=fail)
"""
ENTRIES = """[dsbuilder.import_formats]
asked = asked_lines:LINES
wrong = asked_lines:WRONG
gone = asked_lines:NOTHING
checkpoint = asked_lines:LINES
[dsbuilder.formats]
never = asked_lines:WRITER
"""


@pytest.fixture(autouse=True)
def packages(tmp_path: Path) -> Iterator[Path]:
    folder = install_plug_in(tmp_path / "site", "asked-lines", {"asked_lines": MODULE}, ENTRIES)
    with plugged_in(folder, IMPORT_FORMATS, FORMATS):
        yield folder


def written(name: str, text: str) -> Path:
    path = Path(name).absolute()
    path.write_text(text)
    return path


def test_the_name_says_the_format_and_rows_are_what_is_left() -> None:
    assert IMPORT_FORMATS.names() == ("checkpoint", "rows", "asked", "gone", "wrong"), "a built-in name cannot be taken"
    assert [import_format_of(Path(n)) for n in ("a.asked", "A.ASKED", "a_checkpoint.json", "a.json", "b", "x.wrong")] == [
        "asked", "asked", "checkpoint", "rows", "rows", "wrong",
    ]  # fmt: skip


async def test_every_way_in_reads_it(make_config: Configs) -> None:
    path, config = written("parcels.asked", "Where is it?\nskip\nWho has it?\n"), make_config(provider="offline")
    assert saved_as(str(path), config) == "parcels"
    for opened in (await Session.import_dataset(path, config), await open_saved(path, config)):
        async with opened as session:
            cases = [(case.ordinal, case.inputs["query"]) for case in await session.cases.page(0, 9)]
            assert cases == [(1, "Where is it?"), (3, "Who has it?")]
            assert (await session.run()).accepted == 4
    assert path.read_text().startswith("Where")
    with pytest.raises(ConfigError, match="no import format 'tape'"):
        await Session.import_dataset(path, config, kind="tape")


def test_the_command_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    written("parcels.asked", "Where is it?\nWho has it?\n")
    written("list.txt", "How much?\n")
    assert main(["import", "parcels.asked", "--checkpoint-dir", "s"]) == ExitCode.COMPLETE
    said = capsys.readouterr().out
    assert "Note: one slot is open" in said and "Imported 2 of 3 cases as parcels." in said
    assert main(["import", "list.txt", "--format", "asked", "--checkpoint-dir", "s", "--json"]) == ExitCode.COMPLETE
    assert json.loads(capsys.readouterr().out)["notes"] == ["one slot is open"]
    assert main(["import", "list.txt", "--checkpoint-dir", "s"]) == ExitCode.BAD_INPUT
    assert "list.txt is text without a table in it" in capsys.readouterr().err
    assert main(["import", "parcels.asked", "--format", "gone", "--checkpoint-dir", "s"]) == ExitCode.FAILED
    assert "import format 'gone' of the package asked-lines cannot be loaded" in capsys.readouterr().err


def test_what_the_file_does_wrong_is_the_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"empty\.asked is empty"):
        read_dataset(written("empty.asked", ""))
    with pytest.raises(InputError, match="cannot be read"):
        read_dataset(tmp_path / "nowhere.asked")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is a folder without a dataset"):
        read_dataset(tmp_path / "empty")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("object", "TypeError: it read list, not ImportedDataset"),
        ("category", "the plan has no slot 1 in 'other'"),
        ("outside", "the plan has no slot 9 in 'asked'"),
        ("twice", "slot 1 of 'asked' is filled twice"),
        ("fields", "slot 3 of 'asked' has other inputs"),
        ("json", "TypeError"),
        ("raises", "AttributeError"),
    ],
)
async def test_what_a_reader_does_wrong_is_the_readers(kind: str, words: str, make_config: Configs) -> None:
    config = make_config()
    with pytest.raises(PlugInBroken, match=f"The import format 'wrong' of the package asked-lines failed: .*{words}"):
        await Session.import_dataset(written("a.wrong", f"one\n{kind}\n"), config)
    assert not config.checkpoint_root.exists() or list(config.checkpoint_root.iterdir()) == []


async def test_a_writer_that_fails_is_named_and_leaves_no_file(make_config: Configs) -> None:
    async with await Session.import_dataset(written("a.asked", "one\n"), make_config()) as session:
        with pytest.raises(
            PlugInBroken, match="export format 'never' of the package asked-lines failed: RuntimeError: not today"
        ):
            await session.export(Path("out.never"))
    assert not Path("out.never").exists()


def test_the_doctor_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json", "--provider", "offline"])
    checks: dict[str, Any] = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["import format asked"]["status"] == checks["export format never"]["status"] == "ok"
    assert checks["import format gone"]["status"] == "problem" and "import format checkpoint" not in checks
