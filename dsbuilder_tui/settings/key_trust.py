"""Which addresses may get a person's keys and prompts where a folder names them, or where the way there is open: asked once.

``./.env`` and ``./dsbuilder.toml`` come with a folder, which may be anybody's: a repository that was cloned, an archive.
Where they name an endpoint, a certificate authority, or that none is needed, prompts go there only when the person has said
so, whoever brought the key; what they say of organisation, headers, prices and budget counts for a key of the person's own
only then. A session's folder may be anybody's too: what it keeps of that, and of models, counts only where this person said
it (``settings.seal``). Proxies are taken from the environment alone. A link-local address is refused unless a flag names it.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.errors import ConfigError, StorageError
from dsbuilder_tui.settings.hosts import host_of, is_link_local, is_loopback
from dsbuilder_tui.settings.layers import Layer
from dsbuilder_tui.settings.locations import trusted_addresses_file
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import OPENAI_URL, DatasetBuilderConfig
from dsbuilder_tui.settings.spending_trust import spending_values
from dsbuilder_tui.settings.urls import without_login

TRUST_COMMAND = "dsbuilder config trust"
ANYWHERE = "any folder"  # what is remembered for no folder of its own
_OF_A_KEY = ("organization", "project", "extra_headers")  # settings that mean something with a key alone


class KeyUse(StrEnum):
    """What a key is used for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"


class TrustRisk(StrEnum):
    """Why a person is asked."""

    FOLDER = "folder"  # a file of the working folder says where requests go
    SESSION = "session"  # a session that was not made here says where requests go
    TRACKING = "tracking"  # a folder, or a session that was not made here, says where cases are logged
    FILE = "file"  # a session that was not made here says where the dataset goes
    SPENDING = "spending"  # a folder says what a run may cost, or who writes
    PLAIN_HTTP = "plain http"  # a key would go over a network unencrypted


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAddress:
    """A place that the person has not allowed yet, and what would go there.

    ``address`` is what is remembered, for ``folder``: where it would go, and how; or the value that would count. ``file``
    says who names it, ``of_session`` whether that is a session. ``key`` is the setting, or the login of an address, empty
    for none; ``key_origin`` where it is from.
    """

    folder: Path | None
    file: str
    setting: str
    address: str
    key: str
    key_origin: str
    risk: TrustRisk = TrustRisk.FOLDER
    of_session: bool = False

    @property
    def words(self) -> str:
        """A sentence for people."""
        key = f"{self.key} ({self.key_origin})"
        what = f"prompts and {key}" if self.key else "prompts"
        of_session = f"The session in {self.folder} sets {self.setting}, which was not said here"
        who = of_session if self.of_session else f"{self.file} in {self.folder} sets {self.setting}"
        match self.risk:
            case TrustRisk.FOLDER | TrustRisk.SESSION:
                return f"{who}: it would send {what} to {self.address}."
            case TrustRisk.TRACKING:
                return f"{who}: every accepted case would be logged to {self.address}."
            case TrustRisk.SPENDING:
                return f"{who}: a run {f'that is paid for with {key} ' if self.key else ''}would go by {self.address}."
            case TrustRisk.FILE:
                return (
                    f"The session in {self.folder}, which was not made here, would write its dataset to {self.address}."
                )
            case TrustRisk.PLAIN_HTTP:
                return (
                    f"{self.setting} ({self.file}) is not encrypted: {key if self.key else 'a key'} can be read on the way "
                    f"to {self.address}."
                )

    @property
    def command(self) -> str:
        """What allows it."""
        if self.risk is TrustRisk.PLAIN_HTTP:
            return f"{TRUST_COMMAND} {shlex.quote(self.address)}"
        if self.of_session:
            return f"{TRUST_COMMAND} {shlex.quote(str(self.folder))}"
        return f"cd {shlex.quote(str(self.folder))} && {TRUST_COMMAND}"

    @property
    def place(self) -> str:
        """What it is remembered under."""
        return str(self.folder) if self.folder is not None else ANYWHERE


def foreign_addresses(config: DatasetBuilderConfig, uses: Iterable[KeyUse]) -> list[ForeignAddress]:
    """Where keys or prompts would go that the person has not allowed yet, with these uses of them."""
    found = [foreign for use in uses for foreign in _of_use(config, use, any_key=False)]
    return not_allowed(found)


def named_addresses(config: DatasetBuilderConfig) -> list[ForeignAddress]:
    """All that folders name and the person has not allowed yet, whether or not a key is there now."""
    of_keys = [foreign for use in KeyUse for foreign in _of_use(config, use, any_key=True)]
    return not_allowed([*of_keys, *_of_tracking(config)])


def foreign_tracking(config: DatasetBuilderConfig, *, reading: bool = False) -> list[ForeignAddress]:
    """The MLflow that cases would be logged to, or that is to be read, where a folder names it and the person has not allowed
    it yet.
    """
    return not_allowed(_of_tracking(config)) if reading or config.logs_to_mlflow else []


def plain_http(address: str) -> ForeignAddress:
    """The address that a person types, to be allowed although the way there is open. Raises ``ConfigError`` for another."""
    url = without_login(address) or ""
    if not _is_open(url):
        raise ConfigError(f"{url!r} is no http:// address of another machine.", "Nothing has to be allowed for it.")
    return ForeignAddress(
        folder=None, file="", setting="base_url", address=_origin(url), key="", key_origin="", risk=TrustRisk.PLAIN_HTTP
    )


def uses_of(config: DatasetBuilderConfig) -> list[KeyUse]:
    """What runs with this configuration use a key for."""
    uses = [] if config.resolved_provider == OFFLINE else [KeyUse.CHAT]
    if config.embedding_model != "static" and not Path(config.embedding_model).expanduser().exists():
        uses.append(KeyUse.EMBEDDINGS)
    return uses


def require_trust(config: DatasetBuilderConfig, use: KeyUse) -> None:
    """Raises ``ConfigError``, with the command that allows it, where something would go to an address that is not allowed.

    A link-local address is one whatever was said, unless a flag names it.
    """
    for name in _urls(use):
        if url := getattr(config, name):
            if is_link_local(host_of(url)) and not is_named_in_flag(config, use):
                flag = "--base-url" if name == "base_url" else f"--set {name}="
                raise ConfigError(
                    f"{name} ({config.origins()[name]}) is {without_login(url)}, a link-local or metadata address, where "
                    "machines of clouds are told their credentials.",
                    f"If it is what you mean, name it in a flag ({flag}).",
                )
            break
    if foreign := foreign_addresses(config, [use]):
        raise refusal(foreign)


def is_named_in_flag(config: DatasetBuilderConfig, use: KeyUse) -> bool:
    """Whether the address for a use is from the command line, or from a keyword of the Python API."""
    return next((config.layer_of(name) is Layer.FLAG for name in _urls(use) if getattr(config, name)), False)


def refusal(foreign: Sequence[ForeignAddress]) -> ConfigError:
    """The error for what is not sent, or not written."""
    words = " ".join(dict.fromkeys(address.words for address in foreign))
    commands = " ; ".join(dict.fromkeys(address.command for address in foreign))
    if foreign[0].risk is TrustRisk.PLAIN_HTTP:
        head = "A key is not sent unencrypted unasked."
    elif foreign[0].of_session:
        head = "What came with a session's folder is not followed unasked."
    elif foreign[0].risk is TrustRisk.SPENDING:
        head = "What came with a folder does not spend unasked."
    else:
        head = "Nothing is sent unasked to an address that came with a folder."
    return ConfigError(f"{head} {words}", f"To allow it:  {commands}")


def allow(foreign: Iterable[ForeignAddress]) -> Path:
    """Remember that it may go there. Returns the file. Raises ``ConfigError`` when it cannot be written."""
    allowed = _allowed()
    for one in foreign:
        allowed[one.place] = sorted({*allowed.get(one.place, ()), one.address})
    return _keep(allowed)


def forget(place: str, address: str | None = None) -> list[str]:
    """Take back what was allowed for a folder, or for ``ANYWHERE``: one address, or all. Returns those.

    Raises ``ConfigError`` when it cannot be written.
    """
    allowed = _allowed()
    gone = [one for one in allowed.get(place, ()) if address in (None, one)]
    if gone:
        allowed[place] = [one for one in allowed[place] if one not in gone]
        _keep({place: addresses for place, addresses in allowed.items() if addresses})
    return gone


def not_allowed(found: Iterable[ForeignAddress]) -> list[ForeignAddress]:
    """Those that the person has not allowed yet, each once."""
    each = list(dict.fromkeys(found))
    allowed = _allowed() if each else {}
    return [one for one in each if one.address not in allowed.get(one.place, ())]


def _keep(allowed: Mapping[str, list[str]]) -> Path:
    path = trusted_addresses_file()
    try:
        with atomic_write(path, private=True) as handle:
            handle.write(json.dumps(allowed, indent=2, sort_keys=True).encode())
    except StorageError as error:
        raise ConfigError(f"The answer was not kept: {error.problem}", error.hint) from None
    return path


def _allowed() -> dict[str, list[str]]:
    try:
        read = json.loads(trusted_addresses_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what cannot be read allows nothing
        return {}
    entries = read.items() if isinstance(read, dict) else ()
    return {folder: [str(one) for one in addresses] for folder, addresses in entries if isinstance(addresses, list)}


def _urls(use: KeyUse) -> tuple[str, ...]:
    return ("embedding_base_url", "base_url") if use is KeyUse.EMBEDDINGS else ("base_url",)


def _of_use(config: DatasetBuilderConfig, use: KeyUse, *, any_key: bool) -> list[ForeignAddress]:
    has_own = use is KeyUse.EMBEDDINGS and config.embedding_base_url is not None
    urls = _urls(use)
    if has_own:
        keys: tuple[str, ...] = ("embedding_api_key",)
    elif use is KeyUse.EMBEDDINGS:
        keys = ("embedding_api_key" if config.embedding_api_key else "api_key", "extra_headers")
    else:
        keys = ("api_key", "extra_headers")
    key = _key_from_elsewhere(config, keys, urls)
    name, origin = key or ("", "")
    found: list[ForeignAddress] = []
    for settings, shown in _ways(config, urls, with_account=not has_own):
        source = next((s for setting in settings if (s := config.foreign_source_of(setting))), None)
        if source is None:
            continue
        of_session = source.layer is Layer.SESSION
        if not of_session and settings[0] in _OF_A_KEY and (found or (key is None and not any_key)):
            continue  # it came with the address or the key that it belongs to
        found.append(
            ForeignAddress(
                folder=(source.folder or Path()).resolve(),
                file=source.place,
                setting=next(setting for setting in settings if setting in source.foreign),
                address=shown,
                key=name,
                key_origin=origin,
                risk=TrustRisk.SESSION if of_session else TrustRisk.FOLDER,
                of_session=of_session,
            )
        )
    for value in spending_values(config):
        counts = value.any_key or any_key or key is not None
        if counts and (value.setting == "embedding_model") is (use is KeyUse.EMBEDDINGS):
            found.append(
                ForeignAddress(
                    folder=(value.source.folder or Path()).resolve(), file=value.source.place, setting=value.setting,
                    address=value.shown, key=name, key_origin=origin, risk=TrustRisk.SPENDING,
                    of_session=value.source.layer is Layer.SESSION,
                )
            )  # fmt: skip
    return [*found, *_in_the_open(config, use, keys, _address(config, urls))]


def _of_tracking(config: DatasetBuilderConfig) -> list[ForeignAddress]:
    name = "mlflow_tracking_uri"
    source = config.foreign_source_of(name)
    if source is None or (address := config.shown_urls([name])[name]) is None:
        return []
    return [
        ForeignAddress(
            folder=(source.folder or Path()).resolve(), file=source.place, setting=name, address=address, key="",
            key_origin="", risk=TrustRisk.TRACKING, of_session=source.layer is Layer.SESSION,
        )
    ]  # fmt: skip


def _ways(
    config: DatasetBuilderConfig, urls: Sequence[str], *, with_account: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is not as the person said it of where requests go and how: the settings, and what is shown and remembered.

    What was completed with a variable of the environment is shown as it is written.
    """
    own = config.of_the_person()
    address, shown = _address(config, urls), _address(config.shown_urls(), urls)
    if address != _address(own, urls):
        yield tuple(urls), shown
    if not config.verify_tls:
        yield ("verify_tls",), f"{shown} verify_tls=false"
    for name in ("ca_bundle", "organization", "project"):
        if getattr(config, name) is not None and (name == "ca_bundle" or with_account):
            source = config.source_of(name)
            yield (name,), f"{shown} {name}={source.as_written(name) if source else ''}"
    if with_account and config.extra_headers != own.extra_headers:
        # Their values may be secret: a digest tells them apart.
        said = json.dumps([source.as_written("extra_headers") for source in config.sources], default=str)
        yield ("extra_headers",), f"{shown} extra_headers (SHA-256 {hashlib.sha256(said.encode()).hexdigest()[:16]})"


def _in_the_open(config: DatasetBuilderConfig, use: KeyUse, keys: Sequence[str], address: str) -> list[ForeignAddress]:
    """The address, where a key would go there over a network unencrypted."""
    key = next((name for name in keys if getattr(config, name)), "")
    setting = next((name for name in _urls(use) if getattr(config, name)), "base_url")
    if not key and without_login(address) != address:
        key = setting
    if not key or not _is_open(address):
        return []
    origins, source = config.origins(), config.source_of(setting)
    written = source.borrowed.get(setting) if source else None  # completed with what the environment holds
    return [
        ForeignAddress(
            folder=None,
            file=origins[setting],
            setting=setting,
            address=written or _origin(address),
            key=key,
            key_origin=origins[key],
            risk=TrustRisk.PLAIN_HTTP,
        )
    ]


def _is_open(url: str) -> bool:
    return url.startswith("http://") and not is_loopback(host_of(url))


def _origin(url: str) -> str:
    parts = urlsplit(without_login(url) or "")
    return f"{parts.scheme}://{parts.netloc.casefold()}"


def _address(config: DatasetBuilderConfig | Mapping[str, str | None], urls: Sequence[str]) -> str:
    values = config if isinstance(config, Mapping) else {name: getattr(config, name) for name in urls}
    return next((str(values[name]).rstrip("/") for name in urls if values.get(name)), OPENAI_URL)


def _key_from_elsewhere(
    config: DatasetBuilderConfig, keys: Sequence[str], urls: Sequence[str]
) -> tuple[str, str] | None:
    """A secret that goes along and that no folder brought: its setting, and where it is from."""
    for source in reversed(config.sources):
        for name in (*keys, *urls, "organization", "project"):
            said = source.values.get(name)
            # Headers of several layers are sent together; of everything else the strongest layer counts.
            if not said or (name != "extra_headers" and config.source_of(name) is not source):
                continue
            if name in source.foreign:
                if name in source.borrowed:
                    return name, "environment"
            elif name in keys or (name in urls and without_login(str(said)) != str(said)):
                return name, source.origin(name)
    return None
