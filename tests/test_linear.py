"""Every pattern of the package, and what reads foreign texts with them: the work grows as the text does, and no faster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.adversarial import UsedPattern, families, is_superlinear, package_patterns

PACKAGE = Path(__file__).resolve().parents[1] / "dsbuilder_tui"
# What these read has been cut before, to so many characters; `test_linear_readers.py` gives them more.
BOUNDED = {
    "offline.planner": 4_000,
    "offline.writer": 4_000,
    "models.failure_table": 1_200,
    "generation.case_scanner": 4_000,
}
# Patterns that are made of a plan's or a person's own words.
MADE = {
    "agent.builder", "agent.tool", "quality.validators.attributes", "quality.validators.patterns", "quality.written_values",
}  # fmt: skip


def _is_bounded(where: str) -> bool:
    return where.startswith(tuple(BOUNDED))


@pytest.fixture(scope="module")
def patterns() -> list[UsedPattern]:
    used, made = package_patterns(PACKAGE)
    assert {where.split(":")[0] for where in made if not _is_bounded(where)} == MADE
    return list(used.values())


@pytest.mark.parametrize("pattern", [r"(?:a|ab?)+c", r"\s+x$", r"<b>(.*?)</b>", r"[\d,]*\.?\d*e", r"(\w+ ?)+:"])
def test_a_pattern_that_looks_again_and_again_is_found(pattern: str) -> None:
    used = UsedPattern(pattern, 0, "here", {"finditer"})
    assert any(is_superlinear(act, head, unit) for _, act in used.asked() for head, unit in families(pattern, 0))


@pytest.mark.timeout(120)
def test_every_pattern_reads_a_text_once(patterns: list[UsedPattern]) -> None:
    assert len(patterns) > 200
    slow = [
        f"{used.where} {used.pattern[:60]!r} ({method}): {found}"
        for used in patterns
        if not _is_bounded(used.where)
        for method, act in used.asked()
        for head, unit in families(used.pattern, used.flags)
        if (found := is_superlinear(act, head, unit)) is not None
    ]
    assert slow == []
