"""The files of a dataset folder, as Hugging Face lays it out: data files with a card, or what ``save_to_disk`` writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from dsbuilder_tui.domain.errors import InputError

_ENDINGS = (
    ".parquet",
    ".arrow",
    ".jsonl",
    ".ndjson",
    ".jsonl.gz",
    ".csv",
    ".tsv",
    ".csv.gz",
    ".json",
)  # the best first
_ABOUT = frozenset(
    {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "croissant.json", "package.json"}
)
_SPLIT = re.compile(r"(?:^|[^a-z])(train|training|test|testing|validation|valid|val|dev|eval)(?=$|[^a-z])")
_SPLITS = {"training": "train", "testing": "test", "valid": "validation", "val": "validation"}
_MOST_FILES = 10_000
_DEEPEST = 4
_MOST_STATE = 10**6  # bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a folder, and the split that its name says it holds; empty where it says none."""

    path: Path
    split: str


def data_files(folder: Path) -> list[DataFile]:
    """The data files of a folder in order: of one kind alone, since many folders have the same rows in several.

    Raises ``InputError`` when there are none, ``OSError`` when it cannot be read.
    """
    found = list(_walk(folder, folder, 0))
    for ending in _ENDINGS:
        files = [path for path in found if path.name.lower().endswith(ending)]
        if files:
            return [DataFile(path, split_of(path.relative_to(folder))) for path in _in_order(folder, files)]
    raise InputError(
        f"{folder} is a folder without a dataset in it.",
        "Name a file, or a folder with files of Parquet, Arrow, JSON lines, JSON or CSV.",
    )


def split_of(path: Path) -> str:
    """The split that a path names: a folder ``test``, or a file ``test-00000-of-00001.parquet``."""
    for part in reversed(path.parts):
        if named := _SPLIT.search(part.lower()):
            return _SPLITS.get(named[1], named[1])
    return ""


def _walk(folder: Path, root: Path, depth: int) -> Iterator[Path]:
    for number, path in enumerate(sorted(folder.iterdir())):
        if number > _MOST_FILES:
            raise InputError(f"{root} has more than {_MOST_FILES:,} files.", "Name one of them.")
        if path.name.startswith((".", "_", "cache-")) or (path.is_symlink() and not path.exists()):
            continue
        if path.is_dir():
            if depth < _DEEPEST and not path.is_symlink():
                yield from _walk(path, root, depth + 1)
        elif path.is_file() and path.name not in _ABOUT:
            yield path


def _in_order(folder: Path, files: list[Path]) -> list[Path]:
    """The files that ``save_to_disk`` lists, where it has written a state: others beside them are old."""
    states = {path.parent: _listed(path.parent / "state.json") for path in files}
    return [path for path in files if not states[path.parent] or path.name in states[path.parent]]


def _listed(state: Path) -> frozenset[str]:
    try:
        with state.open("rb") as handle:
            told = orjson.loads(handle.read(_MOST_STATE))
        return frozenset(each["filename"] for each in told["_data_files"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return frozenset()
