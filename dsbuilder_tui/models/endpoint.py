"""An endpoint over HTTP: one session with its address, headers, certificates, proxy and time-outs; and its answers as JSON."""

from __future__ import annotations

import base64
import json
import os
import socket
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from dsbuilder_tui.domain.errors import EndpointRefused, InputError
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.models.address import address_of, tls_of
from dsbuilder_tui.models.advertised_limits import AdvertisedLimits
from dsbuilder_tui.models.error_report import ErrorReport, read_body
from dsbuilder_tui.models.held_bytes import HeldBytes, HeldShare
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.models.redirects import own_origin_only
from dsbuilder_tui.models.resolver import GuardedResolver
from dsbuilder_tui.settings.hosts import is_link_local
from dsbuilder_tui.settings.key_trust import KeyUse, is_named_in_flag
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.urls import without_query_keys

_MOST_ERROR_BYTES = 64 * 1024
_MOST_BODY_BYTES = 16 * 1024 * 1024  # of many vectors; parsed it takes up to 16 times as much
_DEEPEST = 100  # lists and objects in each other; what reads an answer may go into each by a call of its own
MOST_ANSWER_BYTES = 4 * 1024 * 1024  # of one answer in words, of which as many come at once as there are workers


class Endpoint:
    """An HTTP session for one endpoint: address, headers, certificates, proxies from the environment, time-outs."""

    def __init__(
        self, config: DatasetBuilderConfig, *, may_be_link_local: bool | None = None, asked: bool = False
    ) -> None:
        """``may_be_link_local`` says whether the host's name may stand for such an address; None: where a flag names it.
        ``asked`` is as for ``address_of``.

        Raises ``EndpointRefused`` or ``InputError`` for an address, a key or a proxy that cannot be used."""
        self.address = address_of(config, asked=asked)
        self.url = without_query_keys(self.address.url)  # as it is shown
        headers = {
            "Content-Type": "application/json", "Accept": "text/event-stream, application/json", **self.address.headers,
        }  # fmt: skip
        self.limits = AdvertisedLimits()
        self.held = HeldBytes()
        self._call_timeout = config.call_timeout
        proxy, proxy_login = _proxy(self.url)
        if may_be_link_local is None:
            may_be_link_local = is_named_in_flag(config, KeyUse.CHAT)
        # No name is looked up for an address of numbers; here it is as the client reads it.
        if not may_be_link_local and is_link_local(_host(self.url)):
            raise EndpointRefused(f"{self.url} is a link-local or metadata address.", "Name it in a flag (--base-url).")
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, ssl=tls_of(config), ttl_dns_cache=60, resolver=None if may_be_link_local else GuardedResolver()
            ),
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=config.call_timeout, sock_connect=config.connect_timeout, sock_read=config.request_timeout
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[own_origin_only()],
        )
        self._patient = aiohttp.ClientTimeout(
            total=None, sock_connect=config.connect_timeout, sock_read=config.request_timeout
        )
        # A proxy takes its login from the CONNECT for https, and from the request itself for http.
        over_tls = self.url.startswith("https:")
        self._via: dict[str, Any] = {
            "proxy": proxy, "proxy_headers": proxy_login if over_tls else None,
            "headers": None if over_tls else proxy_login,
        }  # fmt: skip

    async def close(self) -> None:
        await self._http.close()

    def redact(self, text: str) -> str:
        """The text without any secret that a server may have echoed."""
        return self.address.redact(text)

    def post(self, path: str, body: bytes) -> Any:
        """The request, as aiohttp's: to be awaited, or entered with ``async with``."""
        return self._http.post(self._at(path), data=body, **self._via)

    def send_form(self, path: str, form: aiohttp.FormData) -> Any:
        """The request with a form's fields and files, as aiohttp's; however long it takes, while something moves."""
        body = form()
        headers = {**(self._via["headers"] or {}), "Content-Type": body.headers["Content-Type"]}
        return self._http.post(self._at(path), data=body, timeout=self._patient, **{**self._via, "headers": headers})

    def get(self, path: str) -> Any:
        """The request, as aiohttp's; its answer may take however long, while something comes."""
        return self._http.get(self._at(path), timeout=self._patient, **self._via)

    async def get_json(self, path: str) -> tuple[int, Any]:
        """Status and parsed body (None when it is not JSON). Raises ``TransientError`` or ``EndpointRefused``."""
        try:
            async with self._http.get(self._at(path), **self._via) as response:
                return response.status, loads(await read_all(response, self.held))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self.network_error(error) from None

    def _at(self, path: str) -> str:
        """A service of the endpoint. What stands behind a ``?`` in its address, such as Azure's api-version, stays at the end."""
        base, mark, query = self.address.url.partition("?")
        path, own, more = path.partition("?")
        queries = "&".join(filter(None, (query, more)))
        return base.rstrip("/").removesuffix("/chat/completions") + path + ("?" if mark or own else "") + queries

    def encoding_refused(self, encoding: str) -> EndpointRefused:
        """What an answer means that is compressed in a way that was not asked for."""
        named = f" ({one_line(encoding, 40)})" if encoding else ""
        return EndpointRefused(
            f"{self.url} compresses its answers in a way that cannot be read{named}, and was not asked to.",
            "Turn compression off for it: in the server, or in the proxy or gateway in front of it.",
        )

    def network_error(self, error: Exception) -> Exception:
        """What a failed connection means: a ``TransientError``, or ``EndpointRefused`` when trying again is no use."""
        system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
        detail = self.redact((_reason(system) if system else "") or str(error) or type(error).__name__)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return EndpointRefused(
                f"The certificate of {self.url} is not trusted: {detail}.",
                "Name your certificate authority with ca_bundle, or (at your own risk) set verify_tls to false.",
            )
        if isinstance(error, aiohttp.ClientSSLError):
            return EndpointRefused(
                f"{self.url} does not speak TLS as it should: {detail}.", "Is it an http:// address?"
            )
        if isinstance(error, aiohttp.InvalidURL):
            return EndpointRefused(f"{self.url!r} is not an address.", "Set base_url, for example http://host:8000/v1.")
        if is_unreadable_encoding(error):
            return self.encoding_refused("")
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ServerTimeoutError):
            return TransientError(
                FailureKind.TIMEOUT, f"the call was not over after {self._call_timeout:g} s (call_timeout)"
            )
        if isinstance(error, TimeoutError):
            return TransientError(FailureKind.TIMEOUT, "no answer from the endpoint in time")
        return TransientError(FailureKind.CONNECTION, f"connection to {self.url} failed: {detail}")


def _reason(error: OSError) -> str:
    """Why a connection failed, in the system's words: those of asyncio hold addresses as Python writes them."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or ""
    return os.strerror(error.errno)


def is_unreadable_encoding(error: BaseException | None) -> bool:
    """Whether an answer could not be read because of how it is compressed."""
    while error is not None:
        if isinstance(error, ContentEncodingError):
            return True
        error = error.__cause__
    return False


async def read_all(
    response: aiohttp.ClientResponse, held: HeldBytes, head: bytes = b"", most: int = _MOST_BODY_BYTES
) -> bytes:
    """The whole body, of which ``head`` has been read.

    Raises ``TransientError`` when it is longer than ``most`` bytes, or when all calls hold too much.
    """
    body = bytearray(head)
    with HeldShare(held, body.clear) as share:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > most:
                raise TransientError(FailureKind.SERVER, f"the endpoint's answer is longer than {most // 2**20} MB")
            share.hold(len(body))
        return bytes(body)


async def read_response(response: aiohttp.ClientResponse) -> ErrorReport:
    """The error that a response is. It may still hold a secret."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_ERROR_BYTES:
            break
    return read_body(bytes(body[:_MOST_ERROR_BYTES]), response.status, response.headers)


def shown(data: bytes) -> str:
    """The beginning of a body, quoted for a person."""
    return repr(" ".join(data[:200].decode("utf-8", "replace").split()))


def loads(data: bytes) -> Any:
    """JSON as servers write it, parsed; None for what is none, or is nested as no answer is."""
    value = _parsed(data)
    return None if data.count(b"[") + data.count(b"{") > _DEEPEST and _is_deeper(value, _DEEPEST) else value


def _is_deeper(value: Any, most: int) -> bool:
    """Whether lists and objects lie in each other more than so many times."""
    level = [value]
    for _ in range(most):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, list | dict)]
        level = [each for values in inner for each in values if isinstance(each, list | dict)]
        if not level:
            return False
    return True


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:  # half a surrogate pair, or a byte that is no UTF-8, must not cost the rest of the text
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _host(url: str) -> str:
    try:
        return URL(url).host or ""
    except ValueError:  # no address; a request says so
        return ""


def _proxy(url: str) -> tuple[str | None, dict[str, str] | None]:
    """The proxy that the environment names for an address. Looked up once: aiohttp would use two threads a request."""
    parts = urlsplit(url)
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    if not named or proxy_bypass(parts.netloc):
        return None, None
    named = named if "://" in named else f"http://{named}"
    split = urlsplit(named)
    if split.scheme not in ("http", "https"):
        raise InputError(
            f"The proxy {split.scheme}://{split.hostname} from the environment is not an HTTP proxy.",
            "Set an http:// proxy, or exempt the endpoint with NO_PROXY.",
        )
    headers = None
    if split.username:
        login = base64.b64encode(f"{unquote(split.username)}:{unquote(split.password or '')}".encode()).decode()
        headers = {"Proxy-Authorization": f"Basic {login}"}
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}", headers
