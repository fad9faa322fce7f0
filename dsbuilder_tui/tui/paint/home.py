"""The list of sessions, and the words above it."""

from __future__ import annotations

from datetime import datetime

from dsbuilder_tui.domain.summary import SessionState
from dsbuilder_tui.store.catalog import SessionListing
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


def state_words(listing: SessionListing) -> str:
    words = STATE_WORDS.get(listing.state, str(listing.state))
    if listing.state is SessionState.INTERRUPTED:
        return f"{words} · {listing.accepted:,} safe"
    if listing.state is SessionState.RUNNING:
        return "running in another window"
    if listing.state is SessionState.COMPLETE:
        return "finished"
    return words


def session_row(listing: SessionListing, width: int, now: float, *, chosen: bool) -> Line:
    """Name, bar, counts, state, last activity, writer; the columns at the end give way."""
    role = "strong" if chosen else "text"
    name = max(10, min(28, width // 4))
    spans: list[Span] = [(fit(listing.id, name), role), (" ", "text")]
    room = width - name - 1
    unreadable = listing.state is SessionState.DAMAGED
    if room >= 70:
        size = min(20, room - 62)
        done = listing.state is SessionState.COMPLETE
        drawn = bar(listing.accepted, listing.planned, size, "good" if done else "accent", given_up=listing.exhausted)
        spans += [*(drawn if not unreadable else (("╌" * size, "faint"),)), ("  ", "text")]
    count = "?" if unreadable else f"{listing.accepted:,}/{listing.planned:,}"
    spans += [(fit(count, 11, "right"), role), ("  ", "text")]
    words = listing.problem if unreadable and listing.problem else state_words(listing)
    state = 26 if room >= 60 else 14
    if unreadable:
        spans.append((clip(words, width - name - 16), "bad"))
        return cut(tuple(spans), width)
    spans.append((fit(words, state), _ROLES.get(listing.state, "text")))
    since = now - datetime.fromisoformat(listing.updated_at).timestamp()
    spans.append((fit(ago(since), 12), "muted"))
    writer = "built-in" if listing.provider == "offline" else listing.worker_model
    left = width - sum(len(s[0]) for s in spans)
    spans.append((clip(writer, left) if left >= 6 else "", "faint"))
    return cut(tuple(spans), width)
