"""From which score a case is a repeat, and which stages look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

# One word more or less weighs more in a short text.
SHORT_WORDS = 12
_SHORT_LESS = 0.10
# Static embeddings spread wider than those of transformers, so the same cosine says more.
_STATIC, _OTHER = 0.92, 0.95
_SIMILAR_LESS = 0.07


@dataclass(frozen=True, slots=True)
class Rules:
    """Scores (0 to 1) from which a case is a repeat; from ``similar`` on it is let in with a flag.

    ``thresholds`` has those of plug-ins' stages, where they are not left to the stage. With ``once`` no text comes twice,
    whatever is expected of it: two cases with the same text would contradict each other.
    """

    stages: frozenset[str] = frozenset(COMPARING_STAGES)
    near: float = 0.70
    semantic: float = _STATIC
    thresholds: Mapping[str, float] = field(default_factory=dict)
    once: bool = False

    @property
    def similar(self) -> float:
        return round(self.semantic - _SIMILAR_LESS, 4)

    def near_for(self, words: int) -> float:
        """The score from which two texts are near repeats when the shorter has so many ``words``."""
        return self.near if words >= SHORT_WORDS else round(self.near - _SHORT_LESS, 4)


def rules_for(config: DatasetBuilderConfig, category: DatasetCategory | None = None) -> Rules:
    """The session's rules, or with a ``category`` those that hold there."""
    semantic = config.semantic_threshold or (_STATIC if static_model(config.embedding_model) else _OTHER)
    rules = Rules(frozenset(config.diversity_stages), config.near_threshold, semantic, config.stage_thresholds)
    if category is None:
        return rules
    if not category.compared:
        return replace(rules, stages=frozenset())
    own = category.diversity if isinstance(category.diversity, CategoryDiversity) else CategoryDiversity()
    return Rules(
        rules.stages if own.stages is None else frozenset(own.stages),
        own.near or rules.near,
        own.semantic or rules.semantic,
        {**rules.thresholds, **(own.thresholds or {})},
    )


def plug_in_stages(rules: Iterable[Rules]) -> tuple[str, ...]:
    """The stages of plug-ins that any of the rules names, in the order in which they judge."""
    return tuple(sorted({stage for one in rules for stage in one.stages if stage not in COMPARING_STAGES}))


def window_of(config: DatasetBuilderConfig) -> int | None:
    """How many of the last cases count; None for all of them."""
    return config.diversity_window if config.diversity_scope == "window" else None


def static_model(name: str) -> bool:
    """Whether an embedding model is a table of word vectors on this machine: the built-in one, or a folder."""
    return name == "static" or name.startswith((".", "/", "~")) or "\\" in name
