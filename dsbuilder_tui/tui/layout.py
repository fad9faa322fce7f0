"""How the studio's panels share the rows there are. Pure."""

from __future__ import annotations

# From this width on the conversation and the panels stand side by side.
WIDE = 100
PANELS = ("plan", "workers", "checkpoints", "rejected")
# What gives way first when rows are scarce.
_FOLDS = ("checkpoints", "rejected", "workers", "plan")
_LEAST = {"plan": 4, "workers": 4, "checkpoints": 4, "rejected": 4}


def heights(room: int, *, categories: int, workers: int) -> dict[str, int]:
    """Rows for each panel, borders included; 1 means folded to a line. They add up to ``room``."""
    wants = {
        "plan": min(categories, 12) + (1 if categories > 1 else 0) + 2,
        "workers": min(workers, 12) + 3,
        "checkpoints": 4,
        "rejected": 7,
    }
    wants = {name: max(_LEAST[name], want) for name, want in wants.items()}
    given = {name: _LEAST[name] for name in PANELS}
    for name in _FOLDS:
        if sum(given.values()) > room:
            given[name] = 1
    spare = room - sum(given.values())
    for name in ("plan", "workers", "rejected", "checkpoints"):
        if given[name] > 1 and spare > 0:
            more = min(spare, wants[name] - given[name])
            given[name] += more
            spare -= more
    # What is left goes to those that can use it: the feed and the workers, then the timeline.
    for name in ("rejected", "workers", "plan", "checkpoints"):
        if spare > 0 and given[name] > 1:
            share = spare if name == "rejected" and room < 60 else (spare + 1) // 2
            given[name] += share
            spare -= share
    if spare > 0:
        open_ones = [name for name in PANELS if given[name] > 1]
        given[(open_ones or PANELS)[-1]] += spare
    return given
