"""A rubric that a plan file names by a path: Markdown that lies beside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.file_access import may_hold_keys, read_regular
from dsbuilder_tui.sources.foreign_text import label

_ENDING = ".md"
_LONGEST_PATH = 1000
_MOST_BYTES = 100_000  # how long its text may be, the plan says


def with_rubric_file(plan: Any, folder: Path) -> Any:
    """A plan as it was read, with the text of the Markdown file where its ``rubric`` (or that one's ``extend`` or
    ``replace``) is a path.

    A path is one word that ends in ``.md``, or the name of a file that is there; it is looked for in ``folder``, the
    plan's own. Raises ``InputError`` for a file that is not there, cannot be read or may hold keys.
    """
    if not isinstance(plan, Mapping):
        return plan
    rubric = plan.get("rubric")
    if isinstance(rubric, Mapping):
        return {**plan, "rubric": {key: _text(value, folder) for key, value in rubric.items()}}
    return {**plan, "rubric": _text(rubric, folder)} if isinstance(rubric, str) else plan


def _text(value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or not value.strip().lower().endswith(_ENDING):
        return value
    named = value.strip()
    if "\n" in named or len(named) > _LONGEST_PATH or "\x00" in named:
        return value
    try:
        path = (folder / Path(named).expanduser()).resolve()
        there = path.exists()
    except (OSError, RuntimeError, ValueError):
        there = False
    if not there:
        if any(map(str.isspace, named)):
            return value  # a sentence that ends so
        raise InputError(
            f"rubric: there is no file {label(named)}.", "It is looked for beside the plan; check the path."
        )
    return _read(path, named)


def _read(path: Path, named: str) -> str:
    shown = label(named)
    if may_hold_keys(path):
        raise InputError(f"rubric: {shown} may hold keys; it is not read.", "Put the rubric into a file of its own.")
    try:
        raw = read_regular(path, _MOST_BYTES)
        if raw is None:
            raise ValueError("it is no regular file")
        if len(raw) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES // 1000} kB")
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"rubric: {shown} is not UTF-8 text.", "Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"rubric: {shown} cannot be read: {reason}.", "Check the file.") from None
    if not text.strip():
        raise InputError(f"rubric: {shown} is empty.", "Write what the judge is to ask, or take it out of the plan.")
    return text
