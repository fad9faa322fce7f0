"""Hosts by where they are: this machine, or the link alone, where clouds answer with the credentials of a machine."""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from urllib.parse import urlsplit

_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

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
    return address.is_link_local or address in _METADATA_ADDRESSES


def _plain(host: str) -> str:
    return unicodedata.normalize("NFKC", host).strip("[]").rstrip(".").casefold()


def _address(name: str) -> IpAddress | None:
    """The IP address that a host is written as: also in one number, in hex or octal, or inside of an IPv6 address."""
    try:
        address: IpAddress = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        if not name or not set(name) <= set("0123456789abcdefx."):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
