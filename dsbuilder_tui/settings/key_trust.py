"""Which addresses of a working folder's files may get a key that the files did not bring: asked once, remembered here.

``./.env`` and ``./dsbuilder.toml`` come with a folder, which may be anybody's: a repository that was cloned, an archive.
Where they name an endpoint, a certificate authority, or that none is needed, a key from the environment, from the user's
file or from the command line goes there only when the person has said so. Proxies are taken from the environment alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.errors import ConfigError, StorageError
from dsbuilder_tui.settings.layers import FOLDER_LAYERS, merged
from dsbuilder_tui.settings.locations import trusted_addresses_file
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import OPENAI_URL, DatasetBuilderConfig, without_login

TRUST_COMMAND = "dsbuilder config trust"


class KeyUse(StrEnum):
    """What a key is used for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAddress:
    """A place that a file of the working folder would send a key to, which did not come with it.

    ``address`` is what is remembered: where the key would go, and how. ``key`` is the setting, or the login of an
    address; ``key_origin`` where it is from.
    """

    folder: Path
    file: str
    setting: str
    address: str
    key: str
    key_origin: str

    @property
    def words(self) -> str:
        """A sentence for people."""
        what = f"{self.key} ({self.key_origin})" if self.key else "a key"
        return f"{self.file} in {self.folder} sets {self.setting}: it would send {what} to {self.address}."


def foreign_addresses(config: DatasetBuilderConfig, uses: Iterable[KeyUse]) -> list[ForeignAddress]:
    """Where keys would go that the person has not allowed yet, with these uses of them."""
    found = [foreign for use in uses for foreign in _of_use(config, use, any_key=False)]
    return _not_allowed(found)


def named_addresses(config: DatasetBuilderConfig) -> list[ForeignAddress]:
    """All that the folder's files name and the person has not allowed yet, whether or not a key is there now."""
    return _not_allowed([foreign for use in KeyUse for foreign in _of_use(config, use, any_key=True)])


def uses_of(config: DatasetBuilderConfig) -> list[KeyUse]:
    """What runs with this configuration use a key for."""
    uses = [] if config.resolved_provider == OFFLINE else [KeyUse.CHAT]
    if config.embedding_model != "static" and not Path(config.embedding_model).expanduser().exists():
        uses.append(KeyUse.EMBEDDINGS)
    return uses


def require_trust(config: DatasetBuilderConfig, use: KeyUse) -> None:
    """Raises ``ConfigError``, with the command that allows it, where a key would go to an address that is not allowed."""
    if foreign := foreign_addresses(config, [use]):
        raise refusal(foreign)


def refusal(foreign: Sequence[ForeignAddress]) -> ConfigError:
    """The error for keys that are not sent."""
    words = " ".join(dict.fromkeys(address.words for address in foreign))
    command = f"cd {shlex.quote(str(foreign[0].folder))} && {TRUST_COMMAND}"
    return ConfigError(f"A key is not sent to an address that came with a folder. {words}", f"To allow it:  {command}")


def allow(foreign: Iterable[ForeignAddress]) -> Path:
    """Remember that keys may go there. Returns the file. Raises ``ConfigError`` when it cannot be written."""
    path, allowed = trusted_addresses_file(), _allowed()
    for one in foreign:
        allowed[str(one.folder)] = sorted({*allowed.get(str(one.folder), ()), one.address})
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


def _not_allowed(found: list[ForeignAddress]) -> list[ForeignAddress]:
    if not found:
        return []
    allowed = _allowed()
    return [one for one in dict.fromkeys(found) if one.address not in allowed.get(str(one.folder), ())]


def _of_use(config: DatasetBuilderConfig, use: KeyUse, *, any_key: bool) -> list[ForeignAddress]:
    own = use is KeyUse.EMBEDDINGS and config.embedding_base_url is not None
    urls = ("embedding_base_url", "base_url") if use is KeyUse.EMBEDDINGS else ("base_url",)
    if own:
        keys: tuple[str, ...] = ("embedding_api_key",)
    elif use is KeyUse.EMBEDDINGS:
        keys = ("embedding_api_key" if config.embedding_api_key else "api_key", "extra_headers")
    else:
        keys = ("api_key", "extra_headers")
    key = _key_from_elsewhere(config, keys, urls)
    if key is None and not any_key:
        return []
    name, origin = key or ("", "")
    without_folder = merged(source for source in config.sources if source.layer not in FOLDER_LAYERS)
    address = _address(config.model_dump(include=set(urls)), urls)
    ways = [
        (urls, "", address != _address(without_folder, urls)),
        (("verify_tls",), " verify_tls=false", not config.verify_tls),
        (("ca_bundle",), f" ca_bundle={config.ca_bundle}", config.ca_bundle is not None),
    ]
    folder = Path.cwd().resolve()
    found = []
    for settings, suffix, counts in ways:
        source = next(
            (s for setting in settings if (s := config.source_of(setting)) and s.layer in FOLDER_LAYERS), None
        )
        if not counts or source is None:
            continue
        setting = next(setting for setting in settings if setting in source.values)
        # An address that was completed with what the environment holds is shown, and kept, as it is written.
        shown = source.borrowed.get(setting, without_login(address) or "") if not suffix else without_login(address)
        found.append(
            ForeignAddress(
                folder=folder,
                file=source.place,
                setting=setting,
                address=f"{shown}{suffix}",
                key=name,
                key_origin=origin,
            )
        )
    return found


def _address(values: Mapping[str, Any], urls: Sequence[str]) -> str:
    return next((str(values[name]).rstrip("/") for name in urls if values.get(name)), OPENAI_URL)


def _key_from_elsewhere(
    config: DatasetBuilderConfig, keys: Sequence[str], urls: Sequence[str]
) -> tuple[str, str] | None:
    """A secret that goes along and that the folder's files did not bring: its setting, and where it is from."""
    for source in reversed(config.sources):
        for name in (*keys, *urls, "organization", "project"):
            said = source.values.get(name)
            # Headers of several layers are sent together; of everything else the strongest layer counts.
            if not said or (name != "extra_headers" and config.source_of(name) is not source):
                continue
            if source.layer in FOLDER_LAYERS:
                if name in source.borrowed:
                    return name, "environment"
            elif name in keys or (name in urls and "@" in str(said)):
                return name, source.origin(name)
    return None
