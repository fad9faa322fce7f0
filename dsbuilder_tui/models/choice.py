"""Which worker model a configuration asks for."""

from __future__ import annotations

from dsbuilder_tui.config import DatasetBuilderConfig
from dsbuilder_tui.models.protocol import WorkerModel


def worker_model(config: DatasetBuilderConfig) -> WorkerModel:
    """The workers' model: an endpoint when a key or an address is configured, else the built-in offline writer."""
    if config.resolved_provider == "openai":
        from dsbuilder_tui.models.openai_compatible import OpenAICompatibleModel

        return OpenAICompatibleModel(config)
    from dsbuilder_tui.models.offline.writer import OfflineWriter

    return OfflineWriter(chosen=config.provider == "offline", pace=config.offline_pace)
