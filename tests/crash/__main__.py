"""``python -m tests.crash``: the whole of it, with a table of what was done and found. ``make crash-test`` runs it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.crash import kills
from tests.crash.damage import AT_REST, WHILE_IT_RUNS, Damage, Outcome, build, outcome_of_export, put_back


def damaged(pristine: Path, sessions: Path, damage: Damage, times: int, seed: int) -> Counter[Outcome]:
    """Do one kind of damage so many times, each to a fresh copy, and count what ``export`` made of it."""
    rng, found = random.Random(seed), Counter[Outcome]()
    reference = pristine.with_name("reference.jsonl")
    for _ in range(times):
        folder = put_back(pristine, sessions)
        what = damage(folder, rng)
        outcome, told = outcome_of_export(sessions, reference)
        found[outcome] += 1
        if outcome in (Outcome.SILENT, Outcome.UNEXPECTED):
            print(f"  {damage.__name__}: {what}: {outcome}: {(told.err or told.out).strip()[:200]}", flush=True)
    return found


def killed(root: Path, name: str, times: int, seed: int) -> int:
    """Kill a process so many times at one kind of instant. Returns how often something was wrong afterwards."""
    rng, wrong = random.Random(seed), 0
    for number in range(times):
        folder = root / f"{name}{number}"
        folder.mkdir(parents=True)
        match name:
            case "import":
                found = kills.killed_import(folder, kills.checkpoint_file(folder, 20_000), 20_000, rng, 4.0)
            case "end of a run":
                found = kills.killed_at_the_end(folder, 60, rng)
            case _:
                found = kills.killed_at_the_start(folder, rng)
        wrong += bool(found)
        if found:
            print(f"  killed at {name}: {found[:300]}", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--times", type=int, default=300, help="how often each kind of damage is done (300)")
    parser.add_argument("--flips", type=int, default=1000, help="how many bits are flipped (1000)")
    parser.add_argument("--kills", type=int, default=20, help="kills at each kind of instant (20)")
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        root = Path(name)
        for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            os.environ[variable] = name
        print(f"{'DAMAGE':<16}{'TIMES':>7}" + "".join(f"{outcome.value:>18}" for outcome in Outcome))
        for running, kinds in ((False, AT_REST), (True, WHILE_IT_RUNS)):
            place = root / ("running" if running else "closed")
            pristine = asyncio.run(build(place, given.cases, running=running))
            for damage in kinds:
                times = given.flips if damage.__name__ == "flip_bit" else given.times
                times = 1 if damage.__name__ in ("remove_log", "bare_database") else times
                found = damaged(pristine, place / "sessions", damage, times, given.seed)
                row = "".join(f"{found[outcome]:>18}" for outcome in Outcome)
                print(f"{damage.__name__:<16}{times:>7}{row}", flush=True)
                bad += found[Outcome.SILENT] + found[Outcome.UNEXPECTED]
        print(f"\n{'KILLED AT':<16}{'TIMES':>7}{'as it must be':>18}{'WRONG':>18}")
        for instant in ("import", "end of a run", "creation"):
            wrong = killed(root, instant, given.kills, given.seed)
            print(f"{instant:<16}{given.kills:>7}{given.kills - wrong:>18}{wrong:>18}", flush=True)
            bad += wrong
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
