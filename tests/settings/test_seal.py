"""A value that was said here has a seal; nobody else can make one."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.settings.locations import seal_secret_file
from dsbuilder_tui.settings.seal import seals_of, unsealed

VALUES: dict[str, Any] = {"base_url": "http://localhost:1/v1", "verify_tls": False, "seed": 4}
NAMES = ("base_url", "verify_tls", "ca_bundle")


def test_what_was_said_here_is_known_again_and_nothing_else() -> None:
    seals = seals_of(VALUES, NAMES)
    assert set(seals) == {"base_url", "verify_tls"} and seal_secret_file().stat().st_mode & 0o777 == 0o600
    assert not unsealed(VALUES, NAMES, seals)
    assert unsealed({**VALUES, "base_url": "http://localhost:2/v1"}, NAMES, seals) == {"base_url"}
    assert unsealed({**VALUES, "ca_bundle": "x"}, NAMES, seals) == {"ca_bundle"}
    swapped = {"base_url": seals["verify_tls"], "verify_tls": seals["base_url"]}
    assert unsealed(VALUES, NAMES, swapped) == {"base_url", "verify_tls"}
    assert unsealed({"seed": 4}, NAMES, {}) == set()


@pytest.mark.parametrize("seals", [None, [], "x", 3, {}, {"base_url": None, "verify_tls": 1}, {"base_url": "é"}])
def test_what_is_no_seal_is_none(seals: Any) -> None:
    seals_of(VALUES, NAMES)
    assert unsealed(VALUES, NAMES, seals) == {"base_url", "verify_tls"}


def test_another_persons_secret_does_not_do() -> None:
    seals = seals_of(VALUES, NAMES)
    seal_secret_file().unlink()
    assert unsealed(VALUES, NAMES, seals) == {"base_url", "verify_tls"}
    seal_secret_file().write_bytes(b"short")
    assert unsealed(VALUES, NAMES, seals) == {"base_url", "verify_tls"}
    assert seals_of(VALUES, NAMES) != seals


def test_where_no_secret_can_be_kept_nothing_is_sealed() -> None:
    seal_secret_file().parent.parent.mkdir(parents=True)
    seal_secret_file().parent.write_text("a file")
    assert seals_of(VALUES, NAMES) == {} and unsealed(VALUES, NAMES, {}) == {"base_url", "verify_tls"}
