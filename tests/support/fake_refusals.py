"""The ways in which the fake endpoint turns a request away."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.wire import send_error

REFUSALS = (
    "rate_limit", "server_error", "unauthorized", "no_model", "no_quota", "too_large", "reject_schema",
    "reject_stream_options", "reject_max_tokens", "reject_item_counts",
)  # fmt: skip


async def refuse(
    kind: str,
    body: dict[str, Any],
    headers: dict[str, str],
    script: list[str],
    retry_after: str | None,
    writer: asyncio.StreamWriter,
) -> bool | None:
    """Answer with an error; None when the request is without what is to be rejected. ``script`` is that of the endpoint: what
    rejects an option goes on doing so.
    """
    if kind == "rate_limit":
        extra = {"Retry-After": retry_after} if retry_after else {}
        return await send_error(writer, 429, "Rate limit reached", "rate_limit_exceeded", extra)
    if kind == "server_error":
        return await send_error(writer, 500, "The server had an error", "server_error")
    if kind == "unauthorized":
        key = headers.get("authorization", "")
        return await send_error(writer, 401, f"Incorrect API key provided: {key}", "invalid_api_key")
    if kind == "no_model":
        return await send_error(writer, 404, f"The model `{body['model']}` does not exist", "model_not_found")
    if kind == "no_quota":
        return await send_error(writer, 429, "You exceeded your current quota", "insufficient_quota")
    if kind == "too_large":
        return await send_error(
            writer, 400, "This model's maximum context length is 8 tokens", "context_length_exceeded"
        )
    if kind == "reject_schema" and "json_schema" in str(body.get("response_format")):
        script.insert(0, "reject_schema")
        return await send_error(
            writer, 400, "'response_format' of type 'json_schema' is not supported", "invalid_request"
        )
    if kind == "reject_stream_options" and "stream_options" in body:
        script.insert(0, "reject_stream_options")
        return await send_error(writer, 400, "Unrecognized request argument: stream_options", "invalid_request")
    if kind == "reject_max_tokens" and "max_tokens" in body:
        script.insert(0, "reject_max_tokens")
        text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        return await send_error(writer, 400, text, "unsupported_parameter")
    if kind == "reject_item_counts" and "minItems" in str(body.get("response_format")):
        script.insert(0, kind)
        return await send_error(
            writer, 400, "In context=('properties', 'cases'), 'minItems' is not permitted", "invalid"
        )
    return None
