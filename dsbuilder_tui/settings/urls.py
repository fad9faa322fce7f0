"""Addresses of endpoints as they are written: what is one, and what of one may be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def checked_url(value: str) -> str:
    """An address as endpoints are set. Raises ``ValueError`` for what is none."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://; write for example http://localhost:11434/v1")
    if not _has_place(value):
        raise ValueError("names no host, or no port behind its colon; write for example http://localhost:11434/v1")
    return value.rstrip("/")


_HOST = re.compile(r"([^@]*@)?(\[[0-9a-fA-F:.%]+\]|[^@:\[\]\s]+)(:\d*)?")


def _has_place(url: str) -> bool:
    """Whether an address names a host, and a port where it has a colon for one."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is not None or not parts.netloc.endswith(":"))
    except ValueError:  # a port that is no number, or brackets left open
        return False


def without_login(url: str | None) -> str | None:
    """An address without ``user:password@`` and keys behind its ``?``; of what is no address, whatever may be one is left out."""
    scheme, mark, rest = (url or "").partition("://")
    if scheme == "sqlite":  # the path of a file, in which an @ is one
        return url
    if not mark:
        return scheme.rpartition("@")[2] or None
    host, end, path = re.split(r"([/?#]|$)", rest, maxsplit=1)[:3]
    if "@" in path and not _HOST.fullmatch(host):  # a password that was not encoded
        host, end, path = rest.rpartition("@")[2], "", ""
    shown = f"{scheme.rpartition('@')[2]}{mark}{host.rpartition('@')[2]}{end}{path}"
    return without_query_keys(shown) or None


_QUERY_KEY = re.compile(
    r"(?<=[?&])(?:(?=[^?=&#]*(?:key|token|secret|signature|password|credential))[^?=&#]*+|sig|auth|code)=([^&#]*)(?:&|(?=#)|$)",
    re.IGNORECASE,
)


def query_keys(url: str) -> list[str]:
    """The values of an address's parameters that are keys by their names, as they are written."""
    return [value for value in _QUERY_KEY.findall(url) if value]


def without_query_keys(url: str) -> str:
    """An address without the parameters behind its ``?`` that are keys by their names."""
    return re.sub(r"[?&](?=#|$)", "", _QUERY_KEY.sub("", url)) if query_keys(url) else url
