"""The gate's comparison over a dataset that exists already: what repeats, what contradicts, what is kept."""

from dsbuilder_tui.dedup.dedup_pass import Progress, deduplicate
from dsbuilder_tui.dedup.report import DedupReport

__all__ = ["DedupReport", "Progress", "deduplicate"]
