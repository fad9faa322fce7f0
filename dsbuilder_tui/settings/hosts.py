"""Hosts by where they are: this machine, or the link alone, where clouds answer with the credentials of a machine."""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from urllib.parse import unquote, urlsplit

_METADATA_NAMES = frozenset(
    {
        "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "metadata.azure.internal",
        "metadata.tencentyun.com", "metadata.platformequinix.com", "api.metadata.cloud.ibm.com",
    }
)  # fmt: skip
_METADATA_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::/32", "fd20:ce::254")
)
# Networks of IPv6 whose last 32 bits are an IPv4 address: translated, or written so.
_EMBEDDING = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
_DOTS = str.maketrans("。｡．", "...")  # which names may be written with

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def host_of(url: str) -> str:
    """The host of an address, in small letters; empty when there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as it is written: no name is looked up."""
    name = _plain(host)
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") if address is None else address.is_loopback


def is_link_local(host: str) -> bool:
    """Whether a host is link-local or a cloud's metadata service, as it is written: no name is looked up."""
    name = _plain(host)
    address = _address(name)
    if address is None:
        return name in _METADATA_NAMES or name.startswith("instance-data.")
    return any(_is_link_local(one) for one in (address, *_embedded(address)))


def _is_link_local(address: IpAddress) -> bool:
    return address.is_link_local or any(address in network for network in _METADATA_NETWORKS)


def _plain(host: str) -> str:
    written = unicodedata.normalize("NFKC", unquote(host).translate(_DOTS))
    return written.strip().strip("[]").rstrip(".").casefold()


def _address(name: str) -> IpAddress | None:
    """The IP address that a host is written as: also in one number, in hex or octal, or as an IPv4 address in IPv6."""
    try:
        address: IpAddress = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        if not name or not set(name) <= set("0123456789abcdefx."):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _embedded(address: IpAddress) -> list[IpAddress]:
    """The IPv4 addresses that a packet to an IPv6 address may be handed on to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IpAddress] = [*(address.teredo or ()), *([address.sixtofour] if address.sixtofour else [])]
    if any(address in network for network in _EMBEDDING):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found
