"""Examples of any length are read: what may vary is looked for in those that are short enough to be one."""

from __future__ import annotations

import pytest

from dsbuilder_tui.offline.writer.templates import read_template


@pytest.mark.parametrize("piece", ["a", "A1-", "a.", "1.", "1,", "_", "-", "1234-", "AB", "a@a."])
def test_a_long_example_stays_as_it_is(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert read_template(text) == text
    assert read_template(f"Write to eva@example.org, {piece * (3_000 // len(piece))}").startswith(
        "Write to {email:eva@example.org}"
    )
