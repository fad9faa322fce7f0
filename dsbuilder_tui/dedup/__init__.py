"""The gate's comparison over a dataset that exists already: what repeats, what contradicts, what is kept."""

from dsbuilder_tui.dedup.report import DedupReport
from dsbuilder_tui.dedup.run import Progress, deduplicate

__all__ = ["DedupReport", "Progress", "deduplicate"]
