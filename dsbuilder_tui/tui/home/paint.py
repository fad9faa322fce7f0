"""The list of sessions, and the words above it."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len

from dsbuilder_tui.domain.batch_job_words import since_words
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.library import SessionListing
from dsbuilder_tui.tui.paint.line import Line, Span, bar, clip, cut, fit
from dsbuilder_tui.wording import STATE_WORDS, ago

_ROLES = {
    SessionState.NEW: "muted",
    SessionState.RUNNING: "info",
    SessionState.PAUSED: "warn",
    SessionState.INTERRUPTED: "bad",
    SessionState.COMPLETE: "good",
    SessionState.SHORT: "warn",
    SessionState.DAMAGED: "bad",
}


def state_words(listing: SessionListing, now: float) -> str:
    words = STATE_WORDS.get(listing.state, str(listing.state))
    if listing.batch_jobs and listing.state is not SessionState.RUNNING:
        return f"{counted(listing.batch_jobs, 'batch job')} since {since_words(listing.batch_jobs_since, now)}"
    if listing.state is SessionState.INTERRUPTED:
        return f"{words} · {listing.accepted:,} safe"
    if listing.state is SessionState.COMPLETE:
        return "finished"
    return words


def session_row(listing: SessionListing, width: int, now: float, *, chosen: bool) -> Line:
    """Name, bar, counts, state, last activity, writer; the columns at the end give way."""
    role = "strong" if chosen else "text"
    tight = width < 84  # no bar and no writer then, but the state is told in whole words
    name = max(10, min(28, width // 3 if tight else width // 4))
    spans: list[Span] = [(fit(listing.id, name), role), (" ", "text")]
    room = width - name - 1
    unreadable = listing.state is SessionState.DAMAGED
    if not tight:
        size = max(8, min(20, room - 68))
        done = listing.state is SessionState.COMPLETE
        drawn = bar(listing.accepted, listing.planned, size, "good" if done else "accent", exhausted=listing.exhausted)
        spans += [*(drawn if not unreadable else (("╌" * size, "faint"),)), ("  ", "text")]
    count = "?" if unreadable else f"{listing.accepted:,}/{listing.planned:,}"
    count = "no plan yet" if listing.undecided else count
    spans += [(fit(count, 12, "right"), role), ("  ", "text")]
    words = state_words(listing, now)
    if unreadable:
        words = listing.problem.replace(f"{listing.path}/", "") or words
        spans.append((clip(words, width - sum(cell_len(span[0]) for span in spans)), "bad"))
        return cut(tuple(spans), width)
    state = max(12, min(16, room - 26)) if tight else 26
    if cell_len(words) >= state:
        words = words.partition(" · ")[0].partition(" in ")[0]
    spans.append((fit(words, state - 1) + " ", _ROLES.get(listing.state, "text")))
    since = now - datetime.fromisoformat(listing.updated_at).timestamp()
    spans.append((fit(ago(since), 12), "muted"))
    left = 0 if tight else width - sum(cell_len(span[0]) for span in spans)
    spans.append((clip(listing.worker_model, left) if left >= 8 else "", "faint"))
    return cut(tuple(spans), width)
