"""By what a row is known again, wherever in a file it stands."""

from __future__ import annotations

from typing import Any

import orjson
import xxhash

from dsbuilder_tui.sources.rows.row_parts import Parts

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def row_fingerprint(parts: Parts) -> str:
    """A name for what a row says: the same for the same inputs and expectations."""
    return f"{value_hash([parts.inputs, parts.expectations]):016x}"


def value_hash(value: Any) -> int:
    """A hash of a JSON value, the same in every process."""
    try:
        raw = orjson.dumps(value, option=_OPTIONS)
    except (TypeError, orjson.JSONEncodeError):  # half a character, or a number that JSON has not
        raw = repr(value).encode("utf-8", "surrogatepass")
    return xxhash.xxh3_64_intdigest(raw)
