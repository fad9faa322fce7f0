"""Which worker model a configuration asks for."""

from __future__ import annotations

import importlib
from typing import Any

from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

# Import paths, loaded when asked for: this room knows none of its rows.
_OPENAI = "dsbuilder_tui.models.providers.openai:OpenAICompatibleModel"
_OFFLINE = "dsbuilder_tui.offline.writer.offline_writer:OfflineWriter"


def worker_model(config: DatasetBuilderConfig) -> WorkerModel:
    """The workers' model: an endpoint when a key or an address is configured, else the built-in offline writer."""
    model: WorkerModel
    if config.resolved_provider == "openai":
        model = _load(_OPENAI)(config)
    else:
        model = _load(_OFFLINE)(chosen=config.provider == "offline", pace=config.offline_pace)
    return model


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
