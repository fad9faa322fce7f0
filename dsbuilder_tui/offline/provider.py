"""The provider ``offline``: the built-in writer, which needs no model, no key and no network."""

from __future__ import annotations

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.models.prices import BUILT_IN
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import Provider
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


def _make(config: DatasetBuilderConfig, clock: Clock) -> WorkerModel:
    from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter

    return OfflineWriter(chosen=config.provider == OFFLINE, pace=config.offline_pace, clock=clock)


PROVIDER = Provider(
    label="the built-in offline writer",
    short_label="the built-in writer",
    needs_key=False,
    is_free=True,
    model_name=BUILT_IN,
    make=_make,
)
