"""``python -m tests.crash``: the whole of it, with tables of what was done and found. ``make crash-test`` runs it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.crash.damage import (
    AT_REST,
    FLIPS,
    WHILE_IT_RUNS,
    Damage,
    Outcome,
    build,
    outcome_of_doctor,
    outcome_of_export,
    put_back,
)
from tests.crash.fault_scenarios import FAULTS, without_mounts
from tests.crash.ground import Ground, Scenario, Tally
from tests.crash.kill_scenarios import KILLS

_ROUNDS = 20


def damaged(pristine: Path, sessions: Path, damage: Damage, times: int, seed: int) -> Counter[str]:
    """Do one kind of damage so many times, each to a fresh copy; count what ``export`` made of it, and who named it."""
    rng, found = random.Random(seed), Counter[str]()
    reference = pristine.with_name("reference.jsonl")
    for _ in range(times):
        folder = put_back(pristine, sessions)
        what = damage(folder, rng)
        examined = outcome_of_doctor(sessions)
        outcome, told = outcome_of_export(sessions, reference)
        found[outcome] += 1
        found["told"] += outcome is Outcome.NAMED or bool(told.err)
        found["doctor"] += examined.code != 0
        if outcome in (Outcome.SILENT, Outcome.UNEXPECTED) or "unexpected" in examined.err:
            print(f"  {damage.__name__}: {what}: {outcome}: {(told.err or told.out).strip()[:200]}", flush=True)
    return found


def _table_of_damage(root: Path, given: argparse.Namespace) -> int:
    bad = 0
    heads = ("exit code 1", "as it was", "SILENT", "unexpected", "told", "by doctor")
    print(f"{'DAMAGE':<18}{'TIMES':>7}" + "".join(f"{head:>13}" for head in heads), flush=True)
    for running, kinds in ((False, (*AT_REST, *FLIPS)), (True, WHILE_IT_RUNS)):
        place = root / ("running" if running else "closed")
        pristine = asyncio.run(build(place, given.cases, running=running))
        for damage in kinds:
            times = given.flips if damage.__name__ == "flip_bit" else given.times
            times = min(times, 1) if damage.__name__ in ("remove_log", "bare_database") else times
            found = damaged(pristine, place / "sessions", damage, times, given.seed)
            counts = (*(found[outcome] for outcome in Outcome), found["told"], found["doctor"])
            print(f"{damage.__name__:<18}{times:>7}" + "".join(f"{count:>13}" for count in counts), flush=True)
            bad += found[Outcome.SILENT] + found[Outcome.UNEXPECTED]
    return bad


def _table_of_processes(
    title: str, died: str, ground: Ground, wanted: dict[str, tuple[int, Scenario]], seed: int
) -> int:
    """Have each scenario killed, or tried, as often as is wanted of it: in rounds, so that Ctrl+C has something of each."""
    tallies, rng = {name: Tally() for name in wanted}, random.Random(seed)
    try:
        for part in range(1, _ROUNDS + 1):
            for name, (times, scenario) in wanted.items():
                tally, seen = tallies[name], len(tallies[name].wrong)
                enough = times * part / _ROUNDS
                while (tally.killed if died == "KILLED" else tally.done) < enough and tally.done < 100 + 10 * enough:
                    scenario(ground, rng, tally)
                for what in tally.wrong[seen:]:
                    print(f"  {name}: {what}", flush=True)
            print(
                f"  {part} of {_ROUNDS} rounds: {sum(tally.killed for tally in tallies.values())} {died.lower()}",
                flush=True,
            )
    except KeyboardInterrupt:
        print("  (cut short)")
    print(f"\n{title:<26}{'TIMES':>7}{died:>9}{'WRONG':>7}", flush=True)
    for name, tally in tallies.items():
        print(f"{name:<26}{tally.done:>7}{tally.killed:>9}{len(tally.wrong):>7}", flush=True)
    bad = sum(len(tally.wrong) for tally in tallies.values())
    done, killed = (
        sum(counts) for counts in zip(*((tally.done, tally.killed) for tally in tallies.values()), strict=True)
    )
    print(f"{'all':<26}{done:>7}{killed:>9}{bad:>7}", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--times", type=int, default=300, help="how often each kind of damage is done (300)")
    parser.add_argument("--flips", type=int, default=1000, help="how many bits of the database are flipped (1000)")
    parser.add_argument("--kills", type=int, default=1000, help="kills, at all kinds of instants together (1000)")
    parser.add_argument("--faults", type=int, default=20, help="how often each other fault is brought about (20)")
    parser.add_argument("--cases", type=int, default=150, help="of the session that it is done to (150)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background, too, where the first of them is ignored
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            os.environ[variable] = name
        bad = _table_of_damage(Path(name), given)
        ground = Ground(Path(name), given.cases)
        kills = {name: (-(-share * given.kills // 100), scenario) for name, (share, scenario) in KILLS.items()}
        bad += _table_of_processes("KILLED AT", "KILLED", ground, kills, given.seed)
        faults = {name: (given.faults, scenario) for name, scenario in without_mounts(FAULTS).items()}
        bad += _table_of_processes("FAULT", "STOPPED", ground, faults, given.seed)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
