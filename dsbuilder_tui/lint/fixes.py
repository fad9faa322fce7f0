"""The dataset as it is without what can be mended for sure: exact repeats, and characters of a wrong encoding."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dsbuilder_tui.dedup.outputs import KEPT, Outputs
from dsbuilder_tui.lint.encoding_faults import encoding_fault, mended
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row
from dsbuilder_tui.sources.rows.record_fields import to_json


class Fixes:
    """Writes the mended dataset where one is wanted; ``told`` is how many rows were removed and mended, or None."""

    def __init__(self, source: Path, out: str | Path | None) -> None:
        self._outputs = Outputs(source, {KEPT: out}) if out is not None else None
        self._closing = ExitStack()
        self.told: dict[str, int] | None = {"removed": 0, "mended": 0} if out is not None else None

    def __enter__(self) -> Self:
        if self._outputs is not None:
            self._closing.enter_context(self._outputs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def take(self, item: Row | BadLine, heading: bytes | None, *, drop: bool) -> None:
        """Write a row, mended, unless it is to be dropped."""
        if self._outputs is None or self.told is None:
            return
        if drop:
            self.told["removed"] += 1
            return
        if isinstance(item, Row) and item.is_json and _is_broken(item.record):
            self.told["mended"] += 1
            item = replace(item, raw=to_json(_mended(item.record)) + b"\n")
        self._outputs.keep(item, heading)


def _is_broken(value: Any) -> bool:
    if isinstance(value, str):
        return encoding_fault(value) is not None and mended(value) != value
    if isinstance(value, Mapping):
        return any(map(_is_broken, value.values()))
    return isinstance(value, list) and any(map(_is_broken, value))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return mended(value) if encoding_fault(value) is not None else value
    if isinstance(value, Mapping):
        return {key: _mended(inner) for key, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list) else value
