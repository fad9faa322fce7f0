"""A closer look at an endpoint: reachable, key, model, JSON schema."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import orjson

from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.models.endpoint import Endpoint
from dsbuilder_tui.models.endpoint_errors import explain_status
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


async def probe_endpoint(config: DatasetBuilderConfig) -> AsyncIterator[tuple[str, DsbuilderError | None, str]]:
    """Checks one by one, as (name, problem, words). Words in brackets say that an answer is not certain."""
    try:
        endpoint = Endpoint(config)
    except DsbuilderError as error:
        yield "endpoint", error, ""
        return
    try:
        try:
            status, models = await endpoint.get_json("/models")
        except TransientError as error:
            yield "endpoint", _unreachable(config, error.detail), ""
            return
        except EndpointRefused as error:
            yield "endpoint", error, ""
            return
        if status in (401, 403):
            body = endpoint.redact(orjson.dumps(models).decode())
            problem = explain_status(status, body, config.worker_model, config.endpoint, None)
            yield "key", problem if isinstance(problem, DsbuilderError) else None, ""
            return
        yield "endpoint", None, f"{config.endpoint} answers"
        known = (
            {str(m.get("id")) for m in models.get("data") or () if isinstance(m, dict)}
            if isinstance(models, dict)
            else set()
        )
        for role, name in (("worker model", config.worker_model), ("main model", config.model)):
            if known and name not in known and f"{name}:latest" not in known:
                some = ", ".join(sorted(known)[:8])
                flag = "--worker-model" if role == "worker model" else "--model"
                yield (
                    role,
                    EndpointRefused(f"{name} is not among the endpoint's models ({some})", f"Choose one with {flag}."),
                    "",
                )
            else:
                yield role, None, f"{name} exists" if known else f"({name}: the endpoint does not list its models)"
        async for finding in _schema(endpoint, config):
            yield finding
    finally:
        await endpoint.close()


async def _schema(
    endpoint: Endpoint, config: DatasetBuilderConfig
) -> AsyncIterator[tuple[str, DsbuilderError | None, str]]:
    body = {
        "model": config.worker_model,
        "messages": [{"role": "user", "content": "Is this a test? Answer as JSON."}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "probe", "strict": True, "schema": _SCHEMA},
        },
    }
    try:
        async with endpoint.post("/chat/completions", orjson.dumps(body)) as response:
            raw = (await response.content.read(64 * 1024)).decode("utf-8", "replace")
            status = response.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        yield "completion", _unreachable(config, endpoint.redact(str(error) or type(error).__name__)), ""
        return
    if status == 400 and any(word in raw for word in ("response_format", "json_schema")):
        yield "JSON schema", None, "(not supported by the endpoint; answers are parsed tolerantly in its place)"
        return
    if status != 200:
        problem = explain_status(status, endpoint.redact(raw), config.worker_model, config.endpoint, None)
        yield "completion", _reported(problem, config), ""
        return
    yield "completion", None, f"{config.worker_model} answers"
    try:
        answer = orjson.loads(orjson.loads(raw)["choices"][0]["message"]["content"])
        honoured = answer == {"answer": "yes"}
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        honoured = False
    words = "honoured" if honoured else "(not honoured; answers are parsed tolerantly in its place)"
    yield "JSON schema", None, words


def _reported(problem: Exception, config: DatasetBuilderConfig) -> DsbuilderError:
    if isinstance(problem, DsbuilderError):
        return problem
    detail = problem.detail if isinstance(problem, TransientError) else str(problem)
    return EndpointUnavailable(f"{config.endpoint} answered: {detail}", "Try again later.")


def _unreachable(config: DatasetBuilderConfig, detail: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"{config.endpoint} cannot be reached: {detail}", "Check base_url, the network and the proxy settings."
    )
