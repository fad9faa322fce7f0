"""Settings, where each value came from, and where things live on disk."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Collection, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dsbuilder_tui.domain.diversity import STAGES, Stage, chosen_stages
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.domain.plain_words import plain_words
from dsbuilder_tui.domain.spending import Price
from dsbuilder_tui.settings.provider_names import AUTO, OFFLINE, OPENAI, provider_names

ENV_PREFIX = "DSBUILDER_"
# Settings whose values are shown as set or unset, and kept in no session.
KEYS = {"api_key": "OPENAI_API_KEY", "embedding_api_key": "DSBUILDER_EMBEDDING_API_KEY"}  # and where they are best kept
SECRETS = (*KEYS, "extra_headers")
URLS = ("base_url", "embedding_base_url")
OPENAI_URL = "https://api.openai.com/v1"
PROJECT_FILE = "dsbuilder.toml"

# Names other tools and the original design already use; DSBUILDER_* wins over them.
_ENV_ALIASES = {
    "max_dataset_size": "MAX_DATASET_INSTANCES",
    "api_key": "OPENAI_API_KEY",
    "base_url": "OPENAI_BASE_URL",
    "organization": "OPENAI_ORG_ID",
    "project": "OPENAI_PROJECT_ID",
}

_JSON = {"extra_headers": '{"X-Team": "evals"}', "prices": '{"my-model": {"input": 0.1, "output": 0.4}}'}


def user_config_file() -> Path:
    """The user's configuration file, whether or not it exists."""
    from platformdirs import user_config_path

    return user_config_path("dsbuilder", appauthor=False) / "config.toml"


def default_checkpoint_root() -> Path:
    """Where sessions live when ``checkpoint_dir`` is not set."""
    from platformdirs import user_state_path

    return user_state_path("dsbuilder", appauthor=False) / "checkpoints"


class _Layer(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._values


class DatasetBuilderConfig(BaseSettings):
    """How a dataset is built. Keyword arguments win over environment, ``.env``, configuration file and defaults.

    Sizes are numbers of cases, times are seconds. Raises ``pydantic.ValidationError`` for bad values.
    """

    model_config = SettingsConfigDict(extra="forbid", validate_default=False, hide_input_in_errors=True)

    max_dataset_size: int = Field(100, ge=1, description="Most cases a plan may hold")
    batch_size: int = Field(20, ge=1, le=500, description="Most cases one worker call writes")
    sub_batch_size: int | None = Field(None, ge=1, le=500, description="Smaller batches when workers run in parallel")
    model: str = Field("gpt-4o", min_length=1, description="Model of the main agent")
    worker_model: str = Field("gpt-4o-mini", min_length=1, description="Model of the workers")
    enable_parallel_generation: bool = Field(True, description="Run several workers at once")
    enable_checkpointing: bool = Field(True, description="Write checkpoint rows while running")
    checkpoint_interval: int = Field(50, ge=1, description="Cases between checkpoints")
    checkpoint_dir: Path = Field(Path("data/checkpoints"), description="Folder of the sessions")
    enable_diversity_check: bool = Field(True, description="Reject cases that repeat an accepted one")
    diversity_window: int = Field(20, ge=1, description="Cases compared against in scope 'window'")
    diversity_scope: Literal["history", "window"] = Field("history", description="Compare with all cases or the last")
    diversity_stages: tuple[Stage, ...] = Field(STAGES, description="How cases are compared, with commas between")
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
    embedding_model: str = Field(
        "static", min_length=1, description="static (built in), a folder with a static model, or an endpoint's model"
    )
    embedding_base_url: str | None = Field(None, repr=False, description="Endpoint of the embeddings; unset: base_url")
    embedding_api_key: SecretStr | None = Field(None, description="Key for embedding_base_url")
    candidates_per_slot: int = Field(
        1, ge=1, le=10, description="Candidates a worker writes for each slot, to take the least expected that is new"
    )

    provider: str = Field(AUTO, description="Who writes: built-in, an endpoint, or a plug-in")
    base_url: str | None = Field(None, repr=False, description="OpenAI-compatible endpoint, ending in /v1")
    api_key: SecretStr | None = Field(None, description="Key for the endpoint")
    organization: str | None = Field(None, description="OpenAI-Organization header")
    project: str | None = Field(None, description="OpenAI-Project header")
    extra_headers: dict[str, str] = Field(default_factory=dict, description="More headers, as JSON", repr=False)
    verify_tls: bool = Field(True, description="Check the endpoint's certificate")
    ca_bundle: Path | None = Field(None, description="Certificates to trust, as a PEM file")

    max_workers: int = Field(8, ge=1, le=2000, description="Worker calls in flight at most")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Fixes slots and the built-in writer")
    temperature: float | None = Field(None, ge=0, le=2, description="Sampling temperature of the workers")
    max_output_tokens: int = Field(500, ge=16, description="Tokens one case may take at most")
    max_attempts: int = Field(6, ge=1, le=100, description="Tries per slot before it is given up")
    max_retries: int = Field(6, ge=0, le=100, description="Repeats of a failed worker call")
    request_timeout: float = Field(120, gt=0, description="Longest silence of the endpoint, in seconds")
    connect_timeout: float = Field(30, gt=0, description="Longest wait for a connection, in seconds")
    drain_timeout: float = Field(5, ge=0, description="Wait for work in flight at a pause, in seconds")
    confirm_cases: int = Field(1000, ge=0, description="The agent asks before a run of more open cases than this")
    confirm_dollars: float = Field(
        5, ge=0, allow_inf_nan=False, description="The agent asks before a run that may cost more dollars than this"
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

    theme: Literal["dark", "light", "high-contrast"] = Field("dark", description="Colours of the terminal app")
    notifications: Literal["off", "bell", "desktop"] = Field("bell", description="How the end of a run is announced")

    _explicit: frozenset[str] = PrivateAttr(default=frozenset())

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._explicit = frozenset(values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, *(_Layer(settings_cls, values) for _, values in _layers()))

    @field_validator("extra_headers", "prices", mode="before")
    @classmethod
    def _parse_json(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON ({error.msg}); write for example {_JSON[info.field_name or '']}") from None

    @field_validator("budget", mode="before")
    @classmethod
    def _no_budget(cls, value: object) -> object:
        # A word, so that a budget which a file or the environment sets can be lifted.
        return None if isinstance(value, str) and value.strip().casefold() == "off" else value

    @field_validator("diversity_stages", mode="before")
    @classmethod
    def _check_stages(cls, value: object) -> object:
        return chosen_stages(value)

    @field_validator("provider")
    @classmethod
    def _check_provider(cls, value: str) -> str:
        if value not in (AUTO, OPENAI, OFFLINE) and value not in (names := provider_names()):
            listed = ", ".join(f"{name!r}" for name in names)
            raise ValueError(f"is not a provider that is installed; choose from {listed}")
        return value

    @field_validator("base_url", "embedding_base_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://; write for example http://localhost:11434/v1")
        return value.rstrip("/")

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
        kept = self.model_dump(mode="json", include=set(self._explicit) - set(SECRETS))
        return kept | self.shown_urls(kept)

    def shown_urls(self, names: Collection[str] = URLS) -> dict[str, str | None]:
        """The endpoints among ``names``, without a login in them."""
        return {name: _without_login(getattr(self, name)) for name in URLS if name in names}

    @property
    def shown_url(self) -> str | None:
        """``base_url`` without a login in it."""
        return _without_login(self.base_url)

    @property
    def checkpoint_root(self) -> Path:
        """The folder of the sessions: ``checkpoint_dir`` if it was set, else the platform's state directory."""
        if "checkpoint_dir" in self.model_fields_set:
            return self.checkpoint_dir.expanduser().absolute()
        return default_checkpoint_root()

    @property
    def resolved_provider(self) -> str:
        """Who writes: the built-in offline writer when neither a key nor an endpoint is configured."""
        if self.provider == AUTO:
            return OPENAI if self.api_key or self.base_url else OFFLINE
        return self.provider

    @property
    def lacks_provider(self) -> bool:
        """Whether the built-in writer only stands in: nobody chose it, and there is no key and no endpoint."""
        return self.provider == AUTO and self.resolved_provider == OFFLINE

    @property
    def endpoint(self) -> str:
        return self.base_url or OPENAI_URL

    @property
    def workers(self) -> int:
        return self.max_workers if self.enable_parallel_generation else 1

    @property
    def largest_batch(self) -> int:
        if self.sub_batch_size is None or not self.enable_parallel_generation:
            return self.batch_size
        return min(self.batch_size, self.sub_batch_size)

    def origins(self) -> dict[str, str]:
        """Where each value came from: ``flag``, ``environment (NAME)``, ``.env``, a file, or ``default``."""
        found = dict.fromkeys(type(self).model_fields, "default")
        if self.diversity_scope == "window":
            found["diversity_scope"] = "diversity_window is set"
        for label, values in reversed(_layers()):
            for name in values:
                found[name] = f"environment ({_env_name(name, os.environ)})" if label == "environment" else label
        found.update(dict.fromkeys(self._explicit, "flag"))
        return found


def _without_login(url: str | None) -> str | None:
    scheme, mark, rest = (url or "").partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" or None


def load_config(**flags: Any) -> DatasetBuilderConfig:
    """The configuration with these flags (``None`` means not given).

    Raises ``ConfigError`` naming the setting, its value, where it came from and the fix.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return DatasetBuilderConfig(**given)
    except ValidationError as error:
        raise ConfigError(_explain(error, given)) from None


def save_settings(values: Mapping[str, Any], path: Path | None = None) -> Path:
    """Put settings into the user's configuration file, or the one at ``path``; ``None`` takes a setting out.

    The file keeps its comments, its order and whatever else is in it; it is replaced in one step, and a new one can be
    read by its owner only. Returns its path. Raises ``ConfigError`` for a value that is not valid, for ``api_key``
    (which is never written), and for a file that cannot be read or written; the file is then as it was.
    """
    from dsbuilder_tui.settings.file import change_settings_file

    for name in values:
        if name not in DatasetBuilderConfig.model_fields:
            raise _unknown("Settings to save", name)
    if values.get("api_key") is not None:
        raise ConfigError(
            "setting api_key: (hidden) — a key is never written into a configuration file.",
            "Put OPENAI_API_KEY into the environment or .env.",
        )
    given = {name: value for name, value in values.items() if value is not None}

    class Given(DatasetBuilderConfig):
        """What the other sources hold neither mends nor spoils the values to save."""

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *args: Any, **others: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings,)

    try:
        checked = Given(**given).model_dump(mode="json", include=set(given), exclude_none=True)
    except ValidationError as error:
        raise ConfigError(_explain(error, given), "Nothing was saved; choose another value.") from None
    return change_settings_file(path or user_config_file(), dict.fromkeys(values) | checked)


def _explain(error: ValidationError, given: Mapping[str, Any]) -> str:
    lines = []
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else "settings"
        value = "(hidden)" if name in SECRETS else repr(detail.get("input"))
        path = name if name in SECRETS else ".".join(map(str, detail["loc"])) or name
        where = f"setting {path}"
        if name not in given:
            holder = next((label for label, values in _layers() if name in values), "settings")
            where = _env_name(name, os.environ) if holder == "environment" else f"{path} in {holder}"
        lines.append(f"{where}: {value} — {plain_words(detail)}")
    return "\n".join(lines)


def _env_name(field: str, environment: Mapping[str, str | None]) -> str:
    own = ENV_PREFIX + field.upper()
    return own if environment.get(own) or field not in _ENV_ALIASES else _ENV_ALIASES[field]


def _layers() -> list[tuple[str, dict[str, Any]]]:
    """The sources below the flags, strongest first."""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = Path(".env").read_text(encoding="utf-8") if Path(".env").is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env: cannot be read ({error}).", "Save it as UTF-8 text.") from None
    broken = [binding.original for binding in parse_stream(StringIO(text)) if binding.error]
    if broken:
        line = broken[0].string.strip().splitlines()[0].split("=")[0][:40]
        raise ConfigError(f".env, line {broken[0].line}: cannot be read ({line!r} …).", "Write NAME=VALUE lines only.")
    dotenv = dotenv_values(stream=StringIO(text))
    user_file = user_config_file()
    return [
        ("environment", _from_environment(os.environ, "environment")),
        (".env", _from_environment(dotenv, ".env")),
        (PROJECT_FILE, _from_toml(Path(PROJECT_FILE))),
        (str(user_file), _from_toml(user_file)),
    ]


def _from_environment(environment: Mapping[str, str | None], label: str) -> dict[str, Any]:
    found = {}
    for name in environment:
        if (
            name.startswith(ENV_PREFIX)
            and name.removeprefix(ENV_PREFIX).lower() not in DatasetBuilderConfig.model_fields
        ):
            raise _unknown(f"{label}: {name}", name.removeprefix(ENV_PREFIX).lower())
    for field in DatasetBuilderConfig.model_fields:
        value = environment.get(_env_name(field, environment))
        if value:  # an empty variable means "not set", as everywhere in a shell
            found[field] = value
    return found


def _from_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}).", "Mend the file or move it away.") from None
    known = DatasetBuilderConfig.model_fields
    for name in values:
        if name not in known:
            raise _unknown(str(path), name)
    return values


def _unknown(where: str, name: str) -> ConfigError:
    close = difflib.get_close_matches(name, DatasetBuilderConfig.model_fields, n=1)
    hint = f"Did you mean {close[0]}?" if close else "`dsbuilder config` lists the settings."
    return ConfigError(f"{where}: no setting is called {name!r}.", hint)
