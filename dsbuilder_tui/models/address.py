"""Where an endpoint is and how to be let in: address, headers, certificates. Whoever holds a secret can take it out of a text."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from dsbuilder_tui.domain.errors import EndpointRefused, InputError
from dsbuilder_tui.models.redaction import forms_of, hide
from dsbuilder_tui.settings.key_trust import KeyUse, require_trust
from dsbuilder_tui.settings.schema import KEYS, OPENAI_URL, URLS, DatasetBuilderConfig
from dsbuilder_tui.settings.urls import query_keys

_LEAST_TYPED = 12  # characters of a key that is looked for in what a person types; a shorter one may be a word


@dataclass(frozen=True, slots=True)
class Address:
    """``headers`` hold the key, or the login that was in the address; ``secrets`` are what no text may show."""

    url: str
    headers: dict[str, str]
    secrets: tuple[str, ...]
    key: str

    def forms(self, at_least: int = 0) -> tuple[str, ...]:
        """The secrets of so many characters at least, as they are and encoded, as a server may echo them."""
        return forms_of(secret for secret in self.secrets if len(secret) >= at_least)

    def redact(self, text: str) -> str:
        """The text without any secret that a server may have echoed, as it is or encoded."""
        return hide(text, self.forms())


def address_of(config: DatasetBuilderConfig, *, asked: bool = False) -> Address:
    """``asked`` says that the person has been asked about it: for another use of a key, of which this is a copy.

    Raises ``EndpointRefused`` when OpenAI's own endpoint has no key, ``InputError`` for an address that is none.

    Raises ``ConfigError`` where a file of the working folder would lead a key away (see ``settings.key_trust``).
    """
    if not asked:
        require_trust(config, KeyUse.CHAT)
    key = config.api_key.get_secret_value() if config.api_key else ""
    url, login, words = _without_login(config.base_url or OPENAI_URL)
    if url == OPENAI_URL and not key:
        raise EndpointRefused(
            f"{url} needs an API key, and none is set.",
            "Set OPENAI_API_KEY, or base_url for an endpoint of your own.",
        )
    headers = {}
    if key and _is_azure(url):
        headers["api-key"] = key
    elif key:
        headers["Authorization"] = f"Bearer {key}"
    elif login:
        headers["Authorization"] = f"Basic {login}"
    if config.organization:
        headers["OpenAI-Organization"] = config.organization
    if config.project:
        headers["OpenAI-Project"] = config.project
    headers.update(config.extra_headers)
    if any(ord(c) < 32 or ord(c) > 126 for value in headers.values() for c in value):
        raise InputError(
            "organization, project or extra_headers holds a character that no header may have.", "Mend it."
        )
    secrets = [s for s in (key, login, *words, *_query_secrets(url), *config.extra_headers.values()) if len(s) > 3]
    return Address(url, headers, tuple(sorted(secrets, key=len, reverse=True)), key)


def _is_azure(url: str) -> bool:
    """Whether an address is of Azure's own kind, which takes a key in a header of its own."""
    parts = urlsplit(url)
    return "api-version=" in parts.query or (parts.hostname or "").endswith(".azure.com")


def secrets_of(config: DatasetBuilderConfig) -> tuple[str, ...]:
    """All that is secret in a configuration, in any of its layers, whether or not it counts there."""
    found: list[str] = []
    for source in config.sources:
        for name, value in source.values.items():
            if name in KEYS and value:
                found.append(value.get_secret_value() if isinstance(value, SecretStr) else str(value))
            elif name in URLS and value:
                with contextlib.suppress(InputError):
                    _, login, words = _without_login(str(value))
                    found += [login, *words, *_query_secrets(str(value))]
            elif name == "extra_headers" and isinstance(value, Mapping):
                found += map(str, value.values())
    found += config.extra_headers.values()
    return tuple(dict.fromkeys(filter(None, found)))


def without_keys(text: str, config: DatasetBuilderConfig) -> str:
    """What a person typed, without any of the configuration's keys: what is sent and kept has no need of them."""
    said = (source.values.get(name) for source in config.sources for name in KEYS)
    keys = {key.get_secret_value() if isinstance(key, SecretStr) else str(key) for key in said if key}
    return hide(text, forms_of(key for key in keys if len(key) >= _LEAST_TYPED))


def tls_of(config: DatasetBuilderConfig) -> ssl.SSLContext | bool:
    if not config.verify_tls:
        return False
    if config.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(config.ca_bundle.expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"ca_bundle {config.ca_bundle} cannot be used: {error}.", "Name a PEM file of certificates."
        ) from None


def _query_secrets(url: str) -> list[str]:
    return [form for value in query_keys(url) for form in (value, unquote(value))]


def _without_login(url: str) -> tuple[str, str, tuple[str, ...]]:
    """The address without ``user:password@``, that login for a Basic header, and what is secret of it."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0  # reading the port raises when it is no number
    except ValueError:
        valid = False
    if not valid:
        raise InputError("base_url is not an address.", "Write for example http://localhost:11434/v1.")
    if not parts.username:
        return url, "", ()
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    word = parts.password or parts.username  # a token may stand in the place of a name
    clean = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return clean, base64.b64encode(login.encode()).decode(), (word, unquote(word))
