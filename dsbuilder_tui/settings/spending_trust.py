"""Values of a folder that make a run cost more, or something else, than the person's own settings do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from dsbuilder_tui.settings.layers import Layer, SettingsSource
from dsbuilder_tui.settings.provider_names import AUTO, OFFLINE, OPENAI
from dsbuilder_tui.settings.schema import SPENDING, DatasetBuilderConfig
from dsbuilder_tui.settings.value_words import value_words

# Of a working folder: what holds a bill down. Its models are part of what a project is.
_OF_FOLDER = frozenset({"provider", "prices", "budget", "confirm_cases", "confirm_dollars"})
# A smaller number, and a budget where there was none, only hold a run down.
_AMOUNTS = frozenset(
    {"budget", "confirm_cases", "confirm_dollars", "candidates_per_slot", "max_attempts", "max_retries", "max_output_tokens"}
)  # fmt: skip
_MOST_SHOWN = 120  # characters of a value; a longer one is told apart by its digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingValue:
    """A setting that a folder names, as it is shown and remembered. ``any_key``: it counts also where no key is there."""

    setting: str
    shown: str
    source: SettingsSource
    any_key: bool


def spending_values(config: DatasetBuilderConfig) -> Iterator[SpendingValue]:
    """The values that whoever made a folder may have written, and that hold no run down."""
    named = [(name, source) for name in SPENDING if (source := config.foreign_source_of(name))]
    if not named:
        return
    own = config.of_the_person()
    for name, source in named:
        if source.layer is not Layer.SESSION and name not in _OF_FOLDER:
            continue
        plug_in = name == "provider" and config.provider not in (AUTO, OFFLINE, OPENAI)
        if _costs_more(name, config, own):
            yield SpendingValue(
                setting=name, shown=f"{name}={_shown(config, name, source)}", source=source, any_key=plug_in
            )  # fmt: skip


def _costs_more(name: str, config: DatasetBuilderConfig, own: DatasetBuilderConfig) -> bool:
    if name == "provider":
        return config.resolved_provider not in (own.resolved_provider, OFFLINE)
    value, otherwise = getattr(config, name), getattr(own, name)
    if name not in _AMOUNTS:
        return bool(value != otherwise)
    if value is None or otherwise is None:
        return otherwise is not None
    return bool(value > otherwise)


def _shown(config: DatasetBuilderConfig, name: str, source: SettingsSource) -> str:
    text = source.borrowed.get(name) or value_words(getattr(config, name))
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_SHOWN]}… (SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:16]})"
