"""Rows are known by name without being imported, and a plug-in that is broken costs nobody else anything."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.registry import PlugInBroken, Registry
from dsbuilder_tui.settings.stage_names import STAGES
from tests.support.plug_ins import install_plug_in

BUILTIN = {"decimal": "decimal:Decimal", "ghost": "no_such_module_anywhere:Thing"}


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with rows in ``test.rows``: one good, one that raises, one that wants a built-in row's name."""
    modules = {
        "rows_of_a_stranger": "class Good:\n    pass\n",
        "rows_that_raise": "raise RuntimeError('not on this machine')\n",
    }
    install_plug_in(
        tmp_path,
        "stranger",
        modules,
        "[test.rows]\ngood = rows_of_a_stranger:Good\nbad = rows_that_raise:Bad\ndecimal = rows_of_a_stranger:Good\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_names_import_nothing(plug_in: Path) -> None:
    rows: Registry[object] = Registry("test.rows", "row", BUILTIN)
    assert rows.names() == ("decimal", "ghost", "bad", "good")
    assert "rows_of_a_stranger" not in sys.modules
    assert rows.rows["good"].package == "stranger" and rows.rows["decimal"].package == ""


def test_a_row_is_loaded_once_and_a_built_in_name_cannot_be_taken(plug_in: Path) -> None:
    rows: Registry[object] = Registry("test.rows", "row", BUILTIN)
    assert rows.load("decimal").__name__ == "Decimal"  # type: ignore[attr-defined]
    assert rows.load("good") is rows.load("good")


def test_a_broken_row_is_named_and_stops_no_other(plug_in: Path) -> None:
    rows: Registry[object] = Registry("test.rows", "row", BUILTIN)
    assert list(rows.all()) == ["decimal", "good"]
    assert set(rows.broken()) == {"ghost", "bad"}
    assert "'bad' of the package stranger" in rows.broken()["bad"].problem
    assert "not on this machine" in rows.broken()["bad"].problem
    with pytest.raises(PlugInBroken, match="'ghost' cannot be loaded"):
        rows.load("ghost")


def test_an_unknown_name_is_refused_with_the_choices(plug_in: Path) -> None:
    rows: Registry[object] = Registry("test.rows", "row", BUILTIN)
    with pytest.raises(ConfigError) as refused:
        rows.load("nothing")
    assert refused.value.hint == "Choose from: decimal, ghost, bad, good."


def test_a_row_of_another_kind_is_broken() -> None:
    rows: Registry[object] = Registry("test.none", "row", {"d": "decimal:Decimal", "o": "os:path"}, expects=object)
    assert set(rows.all()) == {"d", "o"}
    with pytest.raises(PlugInBroken, match="is no int"):
        Registry[object]("test.none", "row", {"o": "os:path"}, expects=int).load("o")
    by_path: Registry[object] = Registry("test.none", "row", {"o": "os:path", "d": "decimal:Decimal"}, "numbers:Number")
    assert set(by_path.all()) == {"d"} and "is no Number" in by_path.broken()["o"].problem


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.EMFILE, "Too many open files"), OSError(errno.ENOSPC, "full")]
)
def test_no_plug_in_is_to_blame_for_the_end_of_a_machine(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        raise STAGES.failed("near", error)
    assert caught.value is error
    assert isinstance(STAGES.failed("near", ValueError("x")), PlugInBroken)
