"""``DatasetBuilderConfig``: every setting, its meaning, its default and what it may be."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dsbuilder_tui.domain.diversity import chosen_thresholds
from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.spending import Price
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.settings.layers import Layer, SettingsSource, merged, read_sources
from dsbuilder_tui.settings.locations import default_checkpoint_root
from dsbuilder_tui.settings.provider_names import AUTO, OFFLINE, ProviderName, resolved
from dsbuilder_tui.settings.runner_names import LOCAL, RunnerName
from dsbuilder_tui.settings.stage_names import installed_stages
from dsbuilder_tui.settings.tracking_uri import checked_tracking_uri, own_tracking_uri
from dsbuilder_tui.settings.urls import checked_url, without_login

# Settings whose values are shown as set or unset, and kept in no session.
KEYS = {"api_key": "OPENAI_API_KEY", "embedding_api_key": "DSBUILDER_EMBEDDING_API_KEY"}  # and where they are best kept
SECRETS = (*KEYS, "extra_headers")
URLS = ("base_url", "embedding_base_url", "mlflow_tracking_uri")
TABLES = ("extra_headers", "prices", "stage_thresholds", "score_thresholds", "ray_endpoints")
# What says where a session's requests and files go, and how: counts as the person's own word only where it was said.
STEERING = (
    *URLS,
    "verify_tls",
    "ca_bundle",
    "organization",
    "project",
    "checkpoint_dir",
    "ray_address",
    "ray_endpoints",
)
# What says who writes, and what that may cost: as well.
SPENDING = (
    "provider", "model", "worker_model", "judge", "judge_model", "judge_share", "embedding_model", "reasoning_effort",
    "hedging", "candidates_per_slot", "max_attempts", "max_retries", "max_output_tokens", "budget", "prices",
    "confirm_cases", "confirm_dollars",
)  # fmt: skip
SEALED = (*STEERING, *SPENDING, "max_dataset_size")
# Where a session lies, and how much the person is asked about, is not for a folder from elsewhere to say.
OWN_WORD_ONLY = ("checkpoint_dir", "confirm_cases", "confirm_dollars", "max_dataset_size")
OPENAI_URL = "https://api.openai.com/v1"

_JSON = {
    "extra_headers": '{"X-Team": "evals"}',
    "prices": '{"my-model": {"input": 0.1, "output": 0.4}}',
    "stage_thresholds": '{"my_stage": 0.8}',
    "score_thresholds": '{"relevance": 0.7}',
    "ray_endpoints": '{"gpu_a": "http://localhost:8000/v1"}',
}


class Hedging(StrEnum):
    """Whether a call that is silent for much longer than others is asked a second time."""

    AUTO = "auto"  # where it costs nothing
    ON = "on"
    OFF = "off"


class DatasetBuilderConfig(BaseModel):
    """How a dataset is built. Keyword arguments win over environment, ``.env``, configuration file and defaults.

    Sizes are numbers of cases, times are seconds. Raises ``pydantic.ValidationError`` for bad values.
    """

    model_config = ConfigDict(extra="forbid", validate_default=False, hide_input_in_errors=True)

    max_dataset_size: int = Field(100, ge=1, description="Most cases a plan may hold")
    batch_size: int = Field(20, ge=1, le=500, description="Most cases one worker call writes")
    sub_batch_size: int | None = Field(None, ge=1, le=500, description="Smaller batches when workers run in parallel")
    model: str = Field("gpt-4o", min_length=1, description="Model of the main agent")
    worker_model: str = Field("gpt-4o-mini", min_length=1, description="Model of the workers")
    judge: JudgeMode = Field(
        JudgeMode.AUTO,
        description="Which cases a judge reads: off, sample, all; auto: a sample of what a model writes",
    )
    judge_model: str | None = Field(None, min_length=1, description="Model of the judge; unset: that of the main agent")
    judge_share: float = Field(
        0.10, gt=0, le=1, description="Share of a category's cases that a sample holds, 20 cases at least"
    )
    enable_parallel_generation: bool = Field(True, description="Run several workers at once")
    enable_checkpointing: bool = Field(True, description="Write checkpoint rows while running")
    checkpoint_interval: int = Field(50, ge=1, description="Cases between checkpoints")
    checkpoint_dir: Path = Field(Path("data/checkpoints"), description="Folder of the sessions")
    enable_diversity_check: bool = Field(True, description="Reject cases that repeat an accepted one")
    diversity_window: int = Field(20, ge=1, description="Cases compared against in scope 'window'")
    diversity_scope: Literal["history", "window"] = Field("history", description="Compare with all cases or the last")
    diversity_stages: tuple[str, ...] = Field(
        tuple(str(stage) for stage in COMPARING_STAGES), description="How cases are compared, with commas between"
    )
    diversity_across: bool = Field(False, description="Compare across categories, not only within each")
    near_threshold: float = Field(
        0.70,
        gt=0,
        le=1,
        description="Share of words and word pairs from which it is a repeat; 0.10 less in short texts",
    )
    semantic_threshold: float | None = Field(
        None, gt=0, le=1, description="Cosine from which it is a repeat; unset: 0.92 for static models, else 0.95"
    )
    stage_thresholds: dict[str, float] = Field(
        default_factory=dict, description="Scores from which stages of plug-ins see a repeat, as JSON by stage"
    )
    embedding_model: str = Field(
        "static", min_length=1, description="static (built in), a folder with a static model, or an endpoint's model"
    )
    embedding_base_url: str | None = Field(None, repr=False, description="Endpoint of the embeddings; unset: base_url")
    embedding_api_key: SecretStr | None = Field(None, description="Key for embedding_base_url")
    candidates_per_slot: int = Field(
        1, ge=1, le=10, description="Candidates a worker writes for each slot, to take the least expected that is new"
    )

    provider: ProviderName = Field(AUTO, description="Who writes: built-in or an endpoint")
    base_url: str | None = Field(None, repr=False, description="OpenAI-compatible endpoint, ending in /v1")
    api_key: SecretStr | None = Field(None, description="Key for the endpoint")
    organization: str | None = Field(None, description="OpenAI-Organization header")
    project: str | None = Field(None, description="OpenAI-Project header")
    extra_headers: dict[str, str] = Field(default_factory=dict, description="More headers, as JSON", repr=False)
    verify_tls: bool = Field(True, description="Check the endpoint's certificate")
    ca_bundle: Path | None = Field(None, description="Certificates to trust, as a PEM file")

    runner: RunnerName = Field(
        LOCAL, description="What makes the workers' calls: this machine (local), a cluster (ray), or batch-api"
    )
    ray_address: str = Field(
        "local",
        min_length=1,
        repr=False,
        description="Ray cluster: local (started here), auto, host:port, ray://host:port",
    )
    ray_endpoints: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="Endpoints of nodes of a Ray cluster, as JSON by resource of the node",
    )
    batch_poll: float = Field(
        300, gt=0, le=3600, description="Longest wait between two looks at a batch job, in seconds"
    )
    max_workers: int = Field(8, ge=1, le=2000, description="Worker calls in flight at most")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Fixes slots and the built-in writer")
    temperature: float | None = Field(None, ge=0, le=2, description="Sampling temperature of the workers")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, description="How long the workers' model thinks, where an endpoint takes that"
    )
    max_output_tokens: int = Field(500, ge=16, description="Tokens one case may take at most, thinking apart")
    max_attempts: int = Field(6, ge=1, le=100, description="Tries per slot before it is exhausted")
    max_retries: int = Field(6, ge=0, le=100, description="Repeats of a failed worker call")
    request_timeout: float = Field(120, gt=0, description="Longest silence of the endpoint, in seconds")
    call_timeout: float = Field(
        1800, gt=0, description="Longest a call may take as a whole, in seconds, whatever keeps coming"
    )
    connect_timeout: float = Field(30, gt=0, description="Longest wait for a connection, in seconds")
    startup_timeout: float = Field(300, ge=0, description="Longest wait for a server that loads its model, in seconds")
    requests_per_minute: int | None = Field(None, ge=1, description="Worker calls a minute at most; unset: found out")
    tokens_per_minute: int | None = Field(
        None, ge=1, description="Tokens a minute of the workers at most; unset: no limit"
    )
    hedging: Hedging = Field(
        Hedging.AUTO, description="Ask silent calls twice: auto: where it is free, on: also where both are billed, off"
    )
    drain_timeout: float = Field(5, ge=0, description="Wait for work in flight at a pause, in seconds")
    confirm_cases: int = Field(1000, ge=0, description="The agent asks before a run of more open cases than this")
    confirm_dollars: float = Field(
        5, ge=0, allow_inf_nan=False, description="The agent asks before a run that may cost more dollars than this"
    )
    plan_samples: int = Field(
        3, ge=0, le=3, description="Sample cases that the card of a plan shows before your yes, 0: none are written"
    )
    response_journal_mb: int = Field(
        256, ge=0, description="Megabytes of paid answers that a session keeps to be judged again, 0: none"
    )
    offline_pace: float = Field(
        0, ge=0, allow_inf_nan=False, description="Cases a second the built-in writer makes at most, 0: no limit"
    )

    budget: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Dollars the session may cost at most; off: no limit"
    )
    prices: dict[str, Price] = Field(
        default_factory=dict,
        description="Dollars per million tokens of your models: input, output, cached_input; as JSON",
    )

    incremental_mlflow_logging: bool | None = Field(
        None, description="Log cases to MLflow as they are accepted; unset: where mlflow_tracking_uri is set"
    )
    mlflow_tracking_uri: str | None = Field(
        None, repr=False, description="MLflow server or database; unset: a database of dsbuilder's own"
    )
    mlflow_experiment: str = Field("dsbuilder", min_length=1, max_length=200, description="Experiment in MLflow")
    mlflow_trace_calls: bool = Field(
        False, description="Log each model call to MLflow as a trace, prompt and answer, where cases are logged"
    )
    score_thresholds: dict[str, FiniteFloat] = Field(
        default_factory=dict, description="Numbers from which answers pass evaluations in MLflow, as JSON by scorer"
    )

    theme: Literal["dark", "light", "high-contrast"] = Field("dark", description="Colours of the terminal app")
    notifications: Literal["off", "bell", "desktop"] = Field("bell", description="How the end of a run is announced")

    _sources: tuple[SettingsSource, ...] = PrivateAttr(default=())

    def __init__(self, **values: Any) -> None:
        flags = SettingsSource(layer=Layer.FLAG, place=Layer.FLAG, values=values)
        self._take((*read_sources(type(self).model_fields), flags))

    @classmethod
    def of_sources(cls, sources: Sequence[SettingsSource]) -> Self:
        """What these say, the weakest first, and nothing else. Raises ``pydantic.ValidationError``."""
        config = cls.__new__(cls)
        config._take(tuple(sources))
        return config

    def _take(self, sources: tuple[SettingsSource, ...]) -> None:
        super().__init__(**merged(sources))
        self._sources = sources

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; what is changed in it counts as a flag. The new values are not checked."""
        copy = super().model_copy(update=update, deep=deep)
        if update:
            *below, flags = self._sources
            values = {**flags.values, **update}
            copy._sources = (*below, SettingsSource(layer=Layer.FLAG, place=Layer.FLAG, values=values))
        return copy

    @property
    def sources(self) -> tuple[SettingsSource, ...]:
        """What each layer says, the weakest first; the flags are the last."""
        return self._sources

    @field_validator("extra_headers", "prices", "stage_thresholds", "score_thresholds", "ray_endpoints", mode="before")
    @classmethod
    def _parse_json(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON ({error.msg}); write for example {_JSON[info.field_name or '']}") from None

    @field_validator("stage_thresholds")
    @classmethod
    def _check_stage_thresholds(cls, value: dict[str, float]) -> dict[str, float]:
        return chosen_thresholds(value)

    @field_validator("budget", mode="before")
    @classmethod
    def _no_budget(cls, value: object) -> object:
        # A word, so that a budget which a file or the environment sets can be lifted.
        return None if isinstance(value, str) and value.strip().casefold() == "off" else value

    @field_validator("judge", mode="before")
    @classmethod
    def _check_judge(cls, value: object) -> object:
        return JudgeMode.OFF if value is False else value  # a bare `off` in YAML

    @field_validator("diversity_stages", mode="before")
    @classmethod
    def _check_stages(cls, value: object) -> object:
        return installed_stages(value)

    @field_validator("base_url", "embedding_base_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return checked_url(value) if value else None

    @field_validator("ray_endpoints")
    @classmethod
    def _check_endpoints(cls, value: dict[str, str]) -> dict[str, str]:
        return {resource: checked_url(url) for resource, url in value.items()}

    @field_validator("mlflow_tracking_uri")
    @classmethod
    def _check_tracking_uri(cls, value: str | None) -> str | None:
        return checked_tracking_uri(value)

    @field_validator("checkpoint_dir", mode="before")
    @classmethod
    def _check_folder(cls, value: object) -> object:
        if value in ("", Path()):
            raise ValueError("must not be empty; write a folder, or . for this one")
        return value

    @field_validator("api_key", "embedding_api_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value().strip() if value else ""
        if any(ord(c) < 33 or ord(c) > 126 for c in text):
            raise ValueError("holds characters that no key has; copy it again")
        return SecretStr(text) if text else None

    @model_validator(mode="after")
    def _window_means_window(self) -> DatasetBuilderConfig:
        if "diversity_window" in self.model_fields_set and "diversity_scope" not in self.model_fields_set:
            object.__setattr__(self, "diversity_scope", "window")
        return self

    @property
    def explicit(self) -> dict[str, Any]:
        """What was given as keyword arguments or flags, without secrets, JSON-ready."""
        kept = self.model_dump(mode="json", include=set(self._sources[-1].values) - set(SECRETS))
        return kept | self.shown_urls(kept)

    def shown_urls(self, names: Collection[str] = URLS) -> dict[str, str | None]:
        """The endpoints among ``names``, without a login, and without what a file took from the environment for them."""
        return {name: self._shown_url(name) for name in URLS if name in names}

    @property
    def shown_url(self) -> str | None:
        """``base_url`` as ``shown_urls`` has it."""
        return self._shown_url("base_url")

    def _shown_url(self, name: str) -> str | None:
        source = self.source_of(name)
        written = source.borrowed.get(name) if source else None
        return without_login(written or getattr(self, name))

    @property
    def checkpoint_root(self) -> Path:
        """The folder of the sessions: ``checkpoint_dir`` if it was set, else the platform's state directory."""
        if "checkpoint_dir" in self.model_fields_set:
            return self.checkpoint_dir.expanduser().absolute()
        return default_checkpoint_root()

    @property
    def logs_to_mlflow(self) -> bool:
        """Whether accepted cases are logged to MLflow: as ``incremental_mlflow_logging`` says, else where an address is set."""
        asked = self.incremental_mlflow_logging
        return self.mlflow_tracking_uri is not None if asked is None else asked

    @property
    def tracking_uri(self) -> str:
        """The MLflow server or database that is logged to: the one that was set, else a database of dsbuilder's own."""
        return self.mlflow_tracking_uri or own_tracking_uri()

    @property
    def resolved_provider(self) -> str:
        """Who writes: the built-in offline writer when neither a key nor an endpoint is configured."""
        return resolved(self.provider, bool(self.api_key or self.base_url))

    @property
    def lacks_provider(self) -> bool:
        """Whether the built-in writer only stands in: nobody chose it, and there is no key and no endpoint."""
        return self.provider == AUTO and self.resolved_provider == OFFLINE

    @property
    def endpoint(self) -> str:
        """Where requests go, without a login in it."""
        return self.shown_url or OPENAI_URL

    @property
    def judging_model(self) -> str:
        """The judge's model by name."""
        return self.judge_model or self.model

    @property
    def workers(self) -> int:
        return self.max_workers if self.enable_parallel_generation else 1

    @property
    def largest_batch(self) -> int:
        if self.sub_batch_size is None or not self.enable_parallel_generation:
            return self.batch_size
        return min(self.batch_size, self.sub_batch_size)

    def source_of(self, name: str) -> SettingsSource | None:
        """Who says a setting's value; None when it is the default."""
        return next((source for source in reversed(self._sources) if name in source.values), None)

    def foreign_source_of(self, name: str) -> SettingsSource | None:
        """The folder's file, or session, whose word for a setting counts; None where only the person's own does."""
        said = [source for source in reversed(self._sources) if name in source.values]
        counting = said if name in TABLES else said[:1]  # what several layers say of a table counts together
        return next((source for source in counting if name in source.foreign), None)

    def of_the_person(self) -> DatasetBuilderConfig:
        """What would hold without the words of whoever made a folder."""
        try:
            return type(self).of_sources([source.of_the_person() for source in self._sources])
        except ValidationError:  # a value that stood below one of a folder's
            return type(self).of_sources(())

    def layer_of(self, name: str) -> Layer:
        """The layer that a setting's value is from."""
        source = self.source_of(name)
        return source.layer if source else Layer.DEFAULT

    def origins(self) -> dict[str, str]:
        """Where each value came from: ``flag``, ``session``, ``environment (NAME)``, ``.env``, a file, or ``default``."""
        found: dict[str, str] = dict.fromkeys(type(self).model_fields, Layer.DEFAULT)
        if self.diversity_scope == "window":
            found["diversity_scope"] = "diversity_window is set"
        for source in self._sources:
            found.update((name, source.origin(name)) for name in source.values)
        return found
