"""Seals: whether a value that lies in a session's folder was said by this person, on this machine.

A folder can be anybody's: unpacked, cloned, shared. A value that was said here carries a seal, made with a secret of this
person's; whoever has no such secret can write the value, and not the seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.settings.locations import seal_secret_file

_BYTES = 32


def seals_of(values: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """The seals of those values that are among ``names``; none where no secret can be kept."""
    wanted = {name: value for name, value in values.items() if name in names}
    secret = _secret(make=True) if wanted else None
    return {} if secret is None else {name: _seal(secret, name, value) for name, value in wanted.items()}


def unsealed(values: Mapping[str, Any], names: Collection[str], seals: object) -> frozenset[str]:
    """Those of the values among ``names`` that have no seal of this person's. ``seals`` is what a folder holds as such."""
    wanted = {name: value for name, value in values.items() if name in names}
    secret = _secret(make=False) if wanted and isinstance(seals, Mapping) else None
    if secret is None or not isinstance(seals, Mapping):
        return frozenset(wanted)
    return frozenset(
        name
        for name, value in wanted.items()
        if not hmac.compare_digest(_seal(secret, name, value).encode(), str(seals.get(name)).encode())
    )


def _seal(secret: bytes, name: str, value: Any) -> str:
    said = json.dumps([name, value], sort_keys=True, default=str).encode()
    return hmac.new(secret, said, hashlib.sha256).hexdigest()


def _secret(*, make: bool) -> bytes | None:
    path = seal_secret_file()
    secret = _read(path)
    if secret is not None or not make:
        return secret
    try:
        with atomic_write(path, private=True) as handle:
            handle.write(secrets.token_bytes(_BYTES))
    except StorageError:  # then the person is asked next time
        return None
    return _read(path)


def _read(path: Path) -> bytes | None:
    try:
        secret = path.read_bytes()
    except OSError:
        return None
    return secret if len(secret) == _BYTES else None
