"""A dataset parted into splits, such as test and dev: each has its share of every category, and near cases stay together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import xxhash

from dsbuilder_tui.domain.errors import InputError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_HINT = "Name each split and its share, together the whole: --split test=0.8,dev=0.2"


@dataclass(frozen=True, slots=True)
class SplitMember:
    """What is looked at of a case. Cases of one ``group`` are not parted."""

    case_id: str
    category: str
    group: int


def read_shares(text: str) -> dict[str, Fraction]:
    """The shares in ``test=0.8,dev=0.2``; ``80 %`` and ``80`` are understood. Raises ``InputError``."""
    shares: dict[str, Fraction] = {}
    for part in text.split(","):
        name, parted, share = (piece.strip() for piece in part.partition("="))
        try:
            value = Fraction(share.removesuffix("%").strip())
        except (ValueError, ZeroDivisionError):
            value = Fraction(0)
        if not parted or not _NAME.fullmatch(name) or value <= 0:
            raise InputError(f"--split: {part.strip()!r} is not a name and a share.", _HINT)
        if name in shares:
            raise InputError(f"--split names {name!r} twice.", _HINT)
        shares[name] = value
    whole = sum(shares.values(), Fraction(0))
    if len(shares) < 2:
        raise InputError(f"--split names one split alone, {next(iter(shares))!r}.", _HINT)
    if abs(whole - 100) < 1:
        shares, whole = {name: share / 100 for name, share in shares.items()}, whole / 100
    if abs(whole - 1) > Fraction(1, 100):
        raise InputError(f"--split: the shares come to {float(whole):g}, not to 1.", _HINT)
    return {name: share / whole for name, share in shares.items()}


def split_cases(members: Sequence[SplitMember], shares: Mapping[str, Fraction], seed: int) -> dict[str, str]:
    """The split of each case, by its id.

    Large groups are dealt first, each to the split that lacks most of its categories; the order among equals hangs on the
    ``seed`` and the ids alone. Where all groups are single cases every split has its share of each category to the case.
    """
    groups: dict[int, list[SplitMember]] = defaultdict(list)
    for member in members:
        groups[member.group].append(member)
    lacking = _wanted(Counter(member.category for member in members), shares)
    order = sorted(groups.values(), key=lambda group: (-len(group), _draw(group[0].case_id, seed)))
    found: dict[str, str] = {}
    for group in order:
        held = Counter(member.category for member in group)
        name = max(
            shares, key=lambda name: sum(min(lacking[name][c], n) for c, n in held.items()) + _least(lacking[name])
        )
        lacking[name].subtract(held)
        found.update({member.case_id: name for member in group})
    return found


def _wanted(counts: Mapping[str, int], shares: Mapping[str, Fraction]) -> dict[str, Counter[str]]:
    """How many cases of each category each split is to have: whole numbers that add up."""
    wanted: dict[str, Counter[str]] = {name: Counter() for name in shares}
    owed = dict.fromkeys(shares, Fraction(0))  # by rounding in the categories before
    for category, count in counts.items():
        exact = {name: share * count + owed[name] for name, share in shares.items()}
        whole = {name: max(0, int(value)) for name, value in exact.items()}
        while (left := count - sum(whole.values())) != 0:
            short = {name: exact[name] - whole[name] for name in shares if left > 0 or whole[name]}
            name = max(short, key=lambda name: short[name]) if left > 0 else min(short, key=lambda name: short[name])
            whole[name] += 1 if left > 0 else -1
        for name in shares:
            wanted[name][category], owed[name] = whole[name], exact[name] - whole[name]
    return wanted


def _least(lacking: Counter[str]) -> float:
    """A tie is for the split that lacks most in all."""
    return sum(lacking.values()) / 1e9


def _draw(case_id: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(case_id.encode(), seed & 0xFFFF_FFFF)
