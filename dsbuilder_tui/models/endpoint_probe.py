"""A closer look at an endpoint: reachable, key, model, JSON schema."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp
import orjson

from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.models.endpoint import Endpoint
from dsbuilder_tui.models.endpoint_errors import explain
from dsbuilder_tui.models.error_report import read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """What one check found: the ``problem`` there is, or ``words`` that say how it went.

    ``certain`` is false where the endpoint did not let anything be known, or answers are used in another way.
    """

    name: str
    words: str = ""
    problem: DsbuilderError | None = None
    certain: bool = True


async def probe_endpoint(config: DatasetBuilderConfig) -> AsyncGenerator[ProbeFinding, None]:
    """Checks one by one, until one has a problem that makes the next ones pointless."""
    try:
        endpoint = Endpoint(config)
    except DsbuilderError as error:
        yield ProbeFinding("endpoint", problem=error)
        return
    try:
        async with aclosing(_checks(endpoint, config)) as findings:
            async for finding in findings:
                yield finding
    finally:
        await endpoint.close()


async def _checks(endpoint: Endpoint, config: DatasetBuilderConfig) -> AsyncGenerator[ProbeFinding, None]:
    try:
        status, models = await endpoint.get_json("/models")
    except TransientError as error:
        yield ProbeFinding("endpoint", problem=_unreachable(config, error.detail))
        return
    except EndpointRefused as error:
        yield ProbeFinding("endpoint", problem=error)
        return
    if status in (401, 403):
        body = endpoint.redact(orjson.dumps(models).decode())
        yield ProbeFinding("key", problem=_reported(body, status, config))
        return
    yield ProbeFinding("endpoint", f"{config.endpoint} answers")
    listed = models.get("data") if isinstance(models, dict) else None
    known = {str(each.get("id")) for each in listed or () if isinstance(each, dict)}
    for role, flag, name in (
        ("worker model", "--worker-model", config.worker_model),
        ("main model", "--model", config.model),
    ):
        if known and name not in known and f"{name}:latest" not in known:
            some = ", ".join(sorted(known)[:8])
            missing = EndpointRefused(f"{name} is not among the endpoint's models ({some})", f"Choose one with {flag}.")
            yield ProbeFinding(role, problem=missing)
        elif known:
            yield ProbeFinding(role, f"{name} exists")
        else:
            yield ProbeFinding(role, f"{name}: the endpoint does not list its models", certain=False)
    async for finding in _schema(endpoint, config):
        yield finding


async def _schema(endpoint: Endpoint, config: DatasetBuilderConfig) -> AsyncGenerator[ProbeFinding, None]:
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
    except EndpointRefused as error:
        yield ProbeFinding("completion", problem=error)
        return
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        detail = endpoint.redact(str(error) or type(error).__name__)
        yield ProbeFinding("completion", problem=_unreachable(config, detail))
        return
    tolerantly = "answers are parsed tolerantly in its place"
    if status == 400 and any(word in raw for word in ("response_format", "json_schema")):
        yield ProbeFinding("JSON schema", f"not supported by the endpoint; {tolerantly}", certain=False)
        return
    if status != 200:
        yield ProbeFinding("completion", problem=_reported(endpoint.redact(raw), status, config))
        return
    yield ProbeFinding("completion", f"{config.worker_model} answers")
    try:
        answer = orjson.loads(orjson.loads(raw)["choices"][0]["message"]["content"])
        honoured = answer == {"answer": "yes"}
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        honoured = False
    yield ProbeFinding("JSON schema", "honoured" if honoured else f"not honoured; {tolerantly}", certain=honoured)


def _reported(body: str, status: int, config: DatasetBuilderConfig) -> DsbuilderError:
    report = read_body(body.encode(), status)
    problem = explain(report, failure_kind(report), config.worker_model, config.endpoint)
    if isinstance(problem, DsbuilderError):
        return problem
    detail = problem.detail if isinstance(problem, TransientError) else str(problem)
    return EndpointUnavailable(f"{config.endpoint} answered: {detail}", "Try again later.")


def _unreachable(config: DatasetBuilderConfig, detail: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"{config.endpoint} cannot be reached: {detail}", "Check base_url, the network and the proxy settings."
    )
