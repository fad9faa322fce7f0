"""Providers: where models come from. Each is one row of a registry; plug-ins add rows with ``dsbuilder.providers``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.models.chat_options import OptionMemory
from dsbuilder_tui.models.protocol import TextModel, TransientError, WorkerModel
from dsbuilder_tui.settings.key_trust import KeyUse, require_trust
from dsbuilder_tui.settings.provider_names import OPENAI, PROVIDERS
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    import agents


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentModelRequest:
    """What is known when a main agent's model is made, besides the configuration.

    A call that fails in passing may be made again ``retries`` times, and ``waits`` is told of each, with the seconds
    until then. ``options`` remembers from turn to turn what an endpoint refuses. ``cut`` is told when an
    answer that was cut off at its length limit is asked for again: with how many tokens at most.
    """

    retries: int
    waits: Callable[[TransientError, float], Awaitable[None]]
    options: OptionMemory
    cut: Callable[[int | None], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A row of the registry. Its module must be light to import: the first screen reads it to say who writes.

    Attributes:
        label: who writes the cases, as it stands in a sentence.
        short_label: the same in fewer words, for places where it comes often.
        needs_key: whether ``api_key`` lets it in; where none is set, the screens say so.
        is_free: whether its cases cost nothing.
        has_endpoint: whether it asks the configuration's endpoint, which is then shown and probed.
        model_name: what its only model is called; None when ``worker_model`` and ``model`` name its models.
        make: the workers' model of a configuration, going by the given clock.
        make_agent_model: the main agent's model; without it the built-in planner listens.
        make_text_model: the workers' model as one that is asked questions; without it a model writes each case, and no templates.
        make_judge_model: the judge's model, ``judging_model``; without it an endpoint's, if one is configured.
    """

    label: str
    short_label: str = ""
    needs_key: bool
    is_free: bool
    has_endpoint: bool = False
    model_name: str | None = None
    make: Callable[[DatasetBuilderConfig, Clock], WorkerModel]
    make_agent_model: Callable[[DatasetBuilderConfig, AgentModelRequest], agents.Model] | None = None
    make_text_model: Callable[[DatasetBuilderConfig], TextModel] | None = None
    make_judge_model: Callable[[DatasetBuilderConfig], TextModel] | None = None

    def require_trust(self, config: DatasetBuilderConfig) -> None:
        """Raises ``ConfigError`` where a file of the working folder would lead a key away."""
        if self.needs_key or self.has_endpoint:
            require_trust(config, KeyUse.CHAT)

    def writer(self, config: DatasetBuilderConfig) -> str:
        """Who writes the cases: the endpoint's address, or what writes."""
        return (config.shown_url or config.endpoint) if self.has_endpoint else self.label

    def writer_name(self, config: DatasetBuilderConfig) -> str:
        """Who writes the cases, by name: the workers' model, or what writes."""
        return config.worker_model if self.model_name is None else self.short_label or self.label


def provider_of(config: DatasetBuilderConfig) -> Provider:
    """The provider that a configuration asks for.

    Raises ``ConfigError`` for one that is not registered, ``PlugInBroken`` for one that cannot be loaded.
    """
    return cast(Provider, PROVIDERS.load(config.resolved_provider))


def worker_model(config: DatasetBuilderConfig, clock: Clock | None = None) -> WorkerModel:
    """The workers' model: of an endpoint when a key or an address is configured, else the built-in offline writer."""
    provider = provider_of(config)
    provider.require_trust(config)
    return provider.make(config, clock or SystemClock())


def text_model(config: DatasetBuilderConfig) -> TextModel | None:
    """The workers' model as one that is asked questions; None where the provider has none. Raises as ``worker_model``."""
    provider = provider_of(config)
    if provider.make_text_model is None:
        return None
    provider.require_trust(config)
    return provider.make_text_model(config)


def require_judge(config: DatasetBuilderConfig) -> TextModel:
    """The judge's model. Raises ``InputError`` where there is none, or as ``worker_model``."""
    model = judge_model(config)
    if model is None:
        raise InputError(
            "There is no model that could judge.", "Set base_url or api_key for an endpoint, and judge_model."
        )
    return model


def judge_model(config: DatasetBuilderConfig) -> TextModel | None:
    """The judge's model: the provider's, or an endpoint's where a key or an address is configured; None without either.

    Raises as ``worker_model``.
    """
    provider = _judging_provider(config)
    if provider is None:
        return None
    provider.require_trust(config)
    return made_judge(config)


def made_judge(config: DatasetBuilderConfig) -> TextModel:
    """The judge's model of a configuration that has one, where somebody has asked before whether keys may go there."""
    provider = _judging_provider(config)
    assert provider is not None and provider.make_judge_model is not None
    return provider.make_judge_model(config)


def _judging_provider(config: DatasetBuilderConfig) -> Provider | None:
    provider = provider_of(config)
    if provider.make_judge_model is not None:
        return provider
    return cast(Provider, PROVIDERS.load(OPENAI)) if config.api_key or config.base_url else None
