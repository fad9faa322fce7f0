from __future__ import annotations

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.settings.value_words import value_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"), ({}, "–"), ((), "–"), ([], "–"), (True, "true"), (0, "0"), (("near", "semantic"), "near, semantic"),
        (["a"], "a"), ({"essence": 0.5}, '{"essence": 0.5}'),
    ],
)  # fmt: skip
def test_a_value_is_said_as_it_is_typed(value: object, words: str) -> None:
    assert value_words(value) == words


def test_every_setting_can_be_typed_as_it_is_shown() -> None:
    config = DatasetBuilderConfig(
        stage_thresholds={"essence": 0.4}, prices={"m": {"input": 1, "output": 2}}, diversity_stages=["near"]
    )
    for name in ("stage_thresholds", "prices", "diversity_stages", "enable_checkpointing", "batch_size"):
        shown = value_words(getattr(config, name))
        assert getattr(DatasetBuilderConfig(**{name: shown}), name) == getattr(config, name), name
