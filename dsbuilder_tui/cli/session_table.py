"""The sessions of a folder as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from dsbuilder_tui.cli.output import print_table, say
from dsbuilder_tui.domain.batch_job_words import waiting_words
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session import library
from dsbuilder_tui.wording import STATE_WORDS


def print_sessions(found: Sequence[library.SessionListing], root: Path) -> None:
    """The sessions as a table."""
    if not found:
        say(f"There is no session in {root} yet. Start one:  dsbuilder run --example travel_assistant")
        return
    rows = [["SESSION", "CASES", "STATE", "REJECTED", "WRITER", "LAST ACTIVITY (UTC)"]]
    for s in found:
        state = STATE_WORDS.get(s.state, s.state) + (f" (pid {s.pid})" if s.pid else "")
        if s.batch_jobs and not s.pid:
            state = waiting_words(s.batch_jobs, s.batch_jobs_since, time.time())
        count = "?" if s.state == SessionState.DAMAGED else f"{s.accepted}/{s.planned}"
        count = "no plan yet" if s.undecided else count
        rows.append([s.id, count, state, str(s.rejected), s.worker_model, s.updated_at[:19].replace("T", " ")])
    print_table(rows, right=(1, 3))
    for s in found:
        if s.problem:
            say(f"{s.id}: {visible(s.problem)}")
