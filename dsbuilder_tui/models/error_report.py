"""An error as an endpoint reports it, read out of whatever shape it gives it.

Providers put it under ``error``, into a list, beside ``"object": "error"``, into a choice, into ``detail``, into a JSON text
within another one, or send a web page.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

_MOST_WORDS = 1000  # characters of a message
_MOST_READ = 64 * 1024  # bytes of a body in which the error is looked for
_MOST_OF_PAGE = 4096  # characters of a page in which its title is looked for
_DEEPEST = 6
_MESSAGE_NAMES = (
    "message", "detail", "details", "msg", "error_msg", "status_msg", "error_description", "reason", "title", "Message",
    "error",
)  # fmt: skip
_CODE_NAMES = ("code", "type", "error_type", "error_code", "status_code", "status", "__type", "errorCode", "Code")
_BROKEN_FINISHES = ("error", "abort", "insufficient_system_resource", "network_error")
_DURATION = re.compile(r"(?:([\d.]+)\s*h)?\s*(?:([\d.]+)\s*m(?!s))?\s*(?:([\d.]+)\s*s)?\s*(?:([\d.]+)\s*ms)?", re.I)
_RETRY_WORDS = re.compile(
    r"(?:again|retry|wait)\s++(?:(?:in|after|for)\s*+)?"
    r"([\d.]++\s*+(?:hours?|minutes?|milliseconds?|seconds?|ms|h|m|s)[\d.hms ]*)",
    re.I,
)
_STATUS = re.compile(r"[45][0-9]{2}")
_UNIT = re.compile(r"(milli)?(second|minute|hour)s?", re.I)
_PAGE = re.compile(r"<(!doctype|html|head|body|\?xml|!--|h1|title|center|script|div|p\b)", re.I)
_TITLE = re.compile(r"<title[^<>]*+>((?:(?!<title).)*?)</title|<h1[^<>]*+>((?:(?!<h1).)*?)</h1", re.I | re.S)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What an endpoint says of an error: ``message`` in one line, ``codes`` in small letters (codes, types, reasons).

    ``status`` is that of HTTP, or the one that the error itself names; ``retry_after`` is in seconds. ``page`` is set when
    it was a web page.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None
    page: bool = False

    @property
    def said(self) -> str:
        """Codes and message in small letters, to be searched."""
        return f"{' '.join(self.codes)} {self.message}".lower()


def read_body(body: bytes, status: int | None, headers: Mapping[str, str] | None = None) -> ErrorReport:
    """The error that a response is: its body as JSON, as a page or as plain words."""
    report = read_text(body[:_MOST_READ].decode("utf-8", "replace"))
    asked = retry_after_seconds(headers) if headers is not None else None
    return replace(
        report, status=report.status if status in (None, 200) else status,
        retry_after=report.retry_after if asked is None else asked,
        message=report.message or (f"HTTP {status}" if status else "an error without words"),
    )  # fmt: skip


def read_text(text: str) -> ErrorReport:
    """The error in a text that is JSON, a page, or words."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        try:
            return read_error(orjson.loads(start))
        except orjson.JSONDecodeError:
            pass
    if is_page(start):
        found = _TITLE.search(start[:_MOST_OF_PAGE])
        title = _line(html.unescape(re.sub(r"<[^<>]*>", "", found[1] or found[2] or ""))) if found else ""
        return ErrorReport(f"a web page (“{title}”)" if title else "a web page", page=True)
    return ErrorReport(_line(text), retry_after=_in_words(text))


def is_page(text: str) -> bool:
    """Whether a text is HTML or XML."""
    return _PAGE.match(text) is not None


def read_error(data: Any) -> ErrorReport:
    """The error in an object that is one, or that holds one."""
    objects = list(_objects(data))
    codes: dict[str, None] = {}
    status: int | None = None
    retry_after: float | None = None
    for each in objects:
        for name in _CODE_NAMES:
            value = each.get(name)
            if isinstance(value, bool) or not isinstance(value, str | int):
                continue
            if _STATUS.fullmatch(str(value)):
                status = status or int(value)
            elif value not in ("", "error", 0):
                codes[str(value)[:_MOST_WORDS].lower()] = None
        if retry_after is None:
            retry_after = _asked_wait(each)
    message = _message(data)
    return ErrorReport(_line(message), tuple(codes), status, _in_words(message) if retry_after is None else retry_after)


def error_in(message: Any, deepest: int = _DEEPEST) -> Any:
    """The error in an object of an answer; None when it is a chunk, or a completion, as it should be."""
    if isinstance(message, list):
        return message if deepest and any(error_in(each, deepest - 1) for each in message) else None
    if not isinstance(message, dict):
        return None
    if message.get("error"):
        return message
    choices = message.get("choices")
    if choices and isinstance(choices, list):
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            if choice.get("error"):
                return {"error": choice["error"]}
            finish = choice.get("finish_reason")
            if finish in _BROKEN_FINISHES:
                return {"message": f"the answer broke off ({finish})", "type": finish}
            if isinstance(finish, dict) and finish.get("type") in _BROKEN_FINISHES:
                return finish
        return None
    if message.get("object") == "error" or message.get("type") == "error" or message.get("errors"):
        return message
    base = message.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return base
    if "usage" in message or "choices" in message:
        return None
    says = any(
        isinstance(message.get(name), str) and message[name] for name in ("message", "detail", "msg", "error_msg")
    )
    return message if says or isinstance(message.get("detail"), list) else None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds, from ``retry-after-ms``, a number, a duration, or an HTTP date (RFC 9110, 10.2.3)."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0), ("x-ratelimit-reset-after", 1.0)):
        value = (headers.get(name) or "").strip()
        if not value:
            continue
        try:
            seconds = float(value) * scale
        except ValueError:
            pass
        else:
            if math.isfinite(seconds):
                return max(0.0, seconds)
            continue
        if (duration := duration_seconds(value)) is not None:
            return duration
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            continue
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None


def _objects(data: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """An error's objects, from the outermost to the innermost: codes and waits stand in any of them."""
    if depth > _DEEPEST:
        return
    if isinstance(data, str):
        data = _inner_json(data)
    if isinstance(data, Mapping):
        yield data
        for name in ("error", "errors", "metadata", "raw", "details", "detail", "innererror", "message", "inner_error"):
            yield from _objects(data.get(name), depth + 1)
    elif isinstance(data, list):
        for each in data[:8]:
            if isinstance(each, Mapping):
                yield from _objects(each, depth + 1)


def _message(data: Any, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return ""
    if isinstance(data, str):
        inner = _inner_json(data)
        return (_message(inner, depth + 1) if inner is not None else "") or data
    if isinstance(data, list):
        return "; ".join(filter(None, (_message(each, depth + 1) for each in data[:4])))
    if not isinstance(data, Mapping):
        return ""
    for name in ("error", "errors"):
        if (inner := data.get(name)) and not isinstance(inner, bool) and (words := _message(inner, depth + 1)):
            if isinstance(inner, str) and isinstance(more := data.get("message"), str):
                return f"{words}: {more}"
            return words
    words = ""
    for name in _MESSAGE_NAMES:
        if words := _message(data.get(name), depth + 1):
            break
    place = data.get("loc")
    if isinstance(place, list):
        words = f"{'.'.join(map(str, place))}: {words}"
    metadata = data.get("metadata")  # of a gateway, with what the provider behind it said
    if isinstance(metadata, Mapping) and (behind := _message(metadata.get("raw"), depth + 1)):
        words = f"{words}: {behind}" if words else behind
    return words


def _inner_json(text: str) -> Any:
    """The JSON that a message consists of, or ends with; None when there is none."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        data = orjson.loads(text[start:].rstrip())
    except orjson.JSONDecodeError:
        return None
    return data if start == 0 or "message" in data or "error" in data else None


def _asked_wait(error: Mapping[str, Any]) -> float | None:
    for name in ("retryDelay", "retry_after", "retryAfter", "estimated_time", "retry_after_seconds"):
        value = error.get(name)
        if isinstance(value, str) and (seconds := duration_seconds(value)) is not None:
            return seconds
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
            return float(value)
    headers = error.get("headers")
    if isinstance(headers, Mapping):
        return retry_after_seconds({str(name).lower(): str(value) for name, value in headers.items()})
    return None


def _in_words(text: str) -> float | None:
    found = _RETRY_WORDS.search(_line(text))  # white space of any length would be tried in every division
    return duration_seconds(found[1]) if found else None


def duration_seconds(text: str) -> float | None:
    """Seconds of ``8s``, ``6m0s``, ``250ms``, ``1.5 seconds``, ``90``."""
    if len(text) > _MOST_WORDS:
        return None
    text = _UNIT.sub(lambda found: ("m" if found[1] else "") + found[2][0].lower(), text.strip())
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    found = _DURATION.match(text)
    if found is None or not any(found.groups()):
        return None
    try:
        hours, minutes, seconds, thousandths = (float(part or 0) for part in found.groups())
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST_WORDS]
