"""Who may come in: the token of the address, and what the browser says of where a request comes from."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_TOKEN_BYTES = 24


def is_loopback(host: str) -> bool:
    """Whether a name or a number is this machine's own, which no other machine can reach."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _authority(text: str) -> SplitResult | None:
    """Host and port of a ``Host`` header; None where it is none."""
    try:
        parts = urlsplit(f"//{text}")
        whole = parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if whole and parts.netloc == text and "@" not in text else None


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Looks at every request. ``host`` is where the server listens."""

    host: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES), repr=False)

    def refusal(self, path: str, host: str, origin: str | None, *, socket: bool = False) -> str | None:
        """Why this request is refused, in a sentence; None for one that is let in.

        ``path`` is the request's, ``host`` and ``origin`` are its headers. A websocket has to say its origin, as every
        browser does: nothing else keeps another page from opening one.
        """
        given = path.split("/")[1] if path.startswith("/") else ""
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.token.encode()):
            return "This address lacks the right token: open the whole address that dsbuilder serve has printed."
        where = _authority(host)
        if where is None or not self._answers_to(where.hostname or ""):
            return "This page answers to no such host name: open the address that dsbuilder serve has printed."
        if origin is None:
            return "A websocket has to say which page opens it." if socket else None
        if origin.casefold() != f"http://{host}".casefold():
            return "Another page asked for this: open the address in a tab of its own."
        return None

    def _answers_to(self, name: str) -> bool:
        # A name can be made to lead here by whoever owns it (DNS rebinding), a number cannot.
        if is_loopback(self.host):
            return is_loopback(name)
        return is_loopback(name) or _is_number(name) or name == self.host.casefold()
