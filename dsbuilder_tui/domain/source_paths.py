"""The documents that a plan names: files, folders and sections of files that its cases are written from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

_MOST_SOURCES, _LONGEST_PATH = 50, 1000
MOST_PASSAGES_A_CASE = 3


def _paths(value: object) -> object:
    if value is None:
        return ()
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list | tuple) or any(not isinstance(path, str) or not path.strip() for path in paths):
        raise ValueError("must be a path or a list of paths; write for example [./docs, faq.md]")
    if any(len(path) > _LONGEST_PATH or any(ord(c) < 32 for c in path) for path in paths):
        raise ValueError(f"must be paths of at most {_LONGEST_PATH:,} characters on one line")
    return tuple(dict.fromkeys(path.strip() for path in paths))


def split_place(source: str) -> tuple[str, str]:
    """The path of a source, and the place in it that stands behind a ``#``: a heading, or the number of a passage.

    ``docs/refunds.md#Late parcels`` names one section. Without a place it is empty.
    """
    path, _, place = source.partition("#")
    return (path, place.strip()) if path and place.strip() else (source, "")


SourcePaths = Annotated[tuple[str, ...], BeforeValidator(_paths), Field(max_length=_MOST_SOURCES)]
