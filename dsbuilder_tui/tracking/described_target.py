"""The evaluated application as a plan describes it, logged to MLflow as a version of its own. What it is for: datasets are
found by it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from dsbuilder_tui.domain.target import PlanTarget

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

DESCRIPTION_TAG = "dsbuilder_description"  # of logged models: the digest of what they were described as
_EXTERNAL = "mlflow.model.isExternal"  # MLflow holds no files of it
_LONGEST_NAME, _LONGEST_PARAM = 100, 4000  # characters
_NOT_IN_NAMES = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedTarget:
    """``digest`` changes with every change of the application's rules or tools, and with nothing else."""

    name: str
    digest: str
    rules: str
    tools: tuple[str, ...]


def described_target(target: PlanTarget, name: str) -> DescribedTarget | None:
    """The version that a plan describes, called something like ``name`` in MLflow; None where it describes none."""
    if target.is_empty:
        return None
    said = orjson.dumps(target.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return DescribedTarget(
        name=_NOT_IN_NAMES.sub("-", name).strip("-")[:_LONGEST_NAME] or "application",
        digest=hashlib.blake2b(said, digest_size=16).hexdigest(),
        rules=target.rules,
        tools=tuple(tool.signature(called) for called, tool in sorted(target.tools.items())),
    )


def logged_model(client: MlflowClient, experiment_id: str, described: DescribedTarget) -> str:
    """The id of the logged model of a version: the one of the experiment that has its tag, else a new one.

    Raises what MLflow raises; when it is interrupted, the next call goes on with what is there.
    """
    found = client.search_logged_models(
        [experiment_id],
        f"tags.{DESCRIPTION_TAG} = '{described.digest}'",
        max_results=1,
        order_by=[{"field_name": "creation_time", "ascending": True}],  # of two that began at once, both take the first
    )
    model = found[0] if found else _new(client, experiment_id, described)
    if str(model.status) != "READY":
        client.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)


def _new(client: MlflowClient, experiment_id: str, described: DescribedTarget) -> LoggedModel:
    params = {"rules": described.rules[:_LONGEST_PARAM], "tools": "; ".join(described.tools)[:_LONGEST_PARAM]}
    return client.create_logged_model(
        experiment_id,
        described.name,
        params={name: value for name, value in params.items() if value},
        tags={DESCRIPTION_TAG: described.digest, _EXTERNAL: "true"},
        model_type="agent",
    )
