"""An endpoint's refusals, and what they mean in a sentence with a way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.protocol import ContentRefused, RequestTooLarge, TransientError

QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds, from ``retry-after-ms``, a number, or an HTTP date (RFC 9110, 10.2.3)."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if not value:
            continue
        try:
            return max(0.0, float(value) * scale)
        except ValueError:
            pass
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            continue
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None


def explain_status(status: int, body: str, model: str, url: str, retry_after: float | None) -> Exception:
    """The error that an HTTP status means. ``body`` must hold no secret any more."""
    error = _error_object(body)
    code, message = _code(error), _message(error) or " ".join(body.split())[:300] or f"HTTP {status}"
    if code in QUOTA_CODES:
        return EndpointRefused(f"The account at {url} has no quota left: {message}", "Add credit, then resume.")
    if status == 429:
        return TransientError(FailureKind.RATE_LIMIT, message, retry_after)
    if status == 413 or (status in (400, 422) and is_too_large(f"{code} {message}".lower())):
        return RequestTooLarge(
            f"The request does not fit the context of {model}: {message}", "Use a smaller batch_size."
        )
    if status in (408, 409, 425) or status >= 500:
        return TransientError(FailureKind.SERVER, f"HTTP {status}: {message}", retry_after)
    if status == 400 and "content_filter" in f"{code} {message}".lower():
        return ContentRefused(message)
    if status == 401:
        return EndpointRefused(
            f"The endpoint {url} does not accept the API key: {message}", "Set OPENAI_API_KEY to a valid key."
        )
    if status == 403:
        return EndpointRefused(
            f"The API key may not use {model} at {url}: {message}", "Use another key, project or model."
        )
    if status == 404 and ("model" in message.lower() or code == "model_not_found"):
        return EndpointRefused(
            f"The model {model} does not exist at {url}: {message}", "Name one that does with --worker-model."
        )
    if status == 404:
        return EndpointRefused(
            f"There is no chat completions service at {url}: {message}", "Check base_url; it usually ends in /v1."
        )
    return EndpointRefused(
        f"The endpoint {url} refused the request (HTTP {status}): {message}", "`dsbuilder doctor` looks closer."
    )


def is_too_large(said: str) -> bool:
    """Whether an error text in small letters says that the request does not fit the model's context."""
    return (
        "context_length" in said
        or "exceed_context" in said
        or ("context" in said and ("length" in said or "size" in said))
    )


def explain_error(error: Any, redact: Callable[[str], str], model: str, url: str) -> Exception:
    """The error that an ``error`` object inside a 200 answer or in mid-stream means."""
    code, message = _code(error), redact(_message(error) or str(error))[:300]
    status = {"rate_limit_exceeded": 429, "invalid_api_key": 401, "model_not_found": 404}.get(code)
    if status is None and isinstance(error, Mapping) and str(error.get("code")).isdigit():
        status = int(error["code"])
    if status is not None or code in QUOTA_CODES or is_too_large(code):
        wrapped = orjson.dumps({"error": {"message": message, "code": code}}).decode()
        return explain_status(status or 400, wrapped, model, url, None)
    return TransientError(FailureKind.SERVER, message)


def _error_object(body: str) -> Any:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data.get("error", data) if isinstance(data, dict) else data


def _message(error: Any) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, Mapping):
        return ""
    return str(error.get("message") or error.get("detail") or "")


def _code(error: Any) -> str:
    return str(error.get("code") or error.get("type") or "") if isinstance(error, Mapping) else ""
