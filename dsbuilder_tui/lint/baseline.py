"""The file of findings that are known and not to be told of again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from dsbuilder_tui.atomic_write import atomic_write, replaceable
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.lint.finding import CheckFinding

_KEY, _FORMAT = "dsbuilder_check_baseline", 1
_LARGEST = 200_000_000  # bytes


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints in a baseline. Raises ``InputError`` for what is none."""
    path = path.expanduser()
    hint = "Write one with --write-baseline."
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large for a baseline.", hint)
        found = json.loads(path.read_bytes())
        known = found["known"]
        if found[_KEY] != _FORMAT or not isinstance(known, dict):
            raise ValueError
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", hint) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is no baseline.", hint) from None
    return frozenset(known)


def write_baseline(path: Path, findings: Iterable[CheckFinding]) -> int:
    """Write the findings as known; returns how many. Raises as ``atomic_write`` and ``replaceable``."""
    known = {finding.fingerprint: f"{finding.code.title}: {finding.sentence}" for finding in findings}
    with atomic_write(replaceable(path.expanduser())) as handle:
        handle.write(json.dumps({_KEY: _FORMAT, "known": known}, ensure_ascii=False, indent=1).encode())
    return len(known)
