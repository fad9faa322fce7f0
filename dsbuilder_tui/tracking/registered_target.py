"""The evaluated application as MLflow knows it: prompts of its registry, logged models, versions of registered models.

Everything here waits for MLflow; from an event loop call it in a thread.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.registered_reference import REGISTERED
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.settings.urls import without_login
from dsbuilder_tui.sources.target.findings import TargetPrompt
from dsbuilder_tui.sources.target.target_reader import Target, target_of_prompts
from dsbuilder_tui.tracking.mlflow_client import mlflow_client, told_in_words

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

_PROMPT, _MODEL = "prompts:/", "models:/"
_NEWEST = "latest"  # an alias that every prompt has
_LINKED = "mlflow.linkedPrompts"  # a tag of a logged model: its prompts
_GONE = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE")
_LONGEST = 80
_MOST = 200  # of a kind that are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTarget:
    """``reference`` names one version for all time; ``model_id`` is that of the logged model, empty where there is none."""

    reference: str
    model_id: str
    target: Target


def read_registered(reference: str, uri: str) -> RegisteredTarget:
    """What MLflow holds of an application; the newest version where none is named.

    Raises ``InputError`` where there is none, and ``MlflowUnavailable``.
    """
    match = REGISTERED.fullmatch(reference.strip())
    if match is None:
        raise InputError(f"{one_line(reference, _LONGEST)} names nothing of MLflow.", "Write prompts:/NAME/VERSION.")
    with told_in_words(uri):
        client = mlflow_client(uri)
        name, version = match["name"], match["version"]
        if match["kind"] == "prompts":
            return _of_prompt(client, name, version, uri)
        return _of_model(client, name, version, uri, by_alias=match["mark"] == "@")


def registered_targets(uri: str) -> list[tuple[str, str]]:
    """References of all that can be named, each with a few words. Raises ``MlflowUnavailable``."""
    with told_in_words(uri):
        client = mlflow_client(uri)
        experiments = [one.experiment_id for one in client.search_experiments()]
        newest = [
            (prompt, one)
            for prompt in client.search_prompts(max_results=_MOST)
            if (one := _prompt(client, prompt.name, _NEWEST)) is not None
        ]
        versions = [
            (model, one)
            for model in client.search_registered_models(max_results=_MOST)
            for one in client.search_model_versions(f"name = '{model.name}'")
        ]
        logged = client.search_logged_models(experiments, max_results=_MOST) if experiments else []
        return [
            *((one.where, one_line(prompt.description or "", _LONGEST)) for prompt, one in newest),
            *(
                (f"{_MODEL}{model.name}/{one.version}", one_line(one.description or model.description or "", _LONGEST))
                for model, one in versions
            ),
            *((f"{_MODEL}{one.name}", f"{one.model_type or 'logged model'} {one.model_id}") for one in logged),
        ]


def _of_prompt(client: MlflowClient, name: str, version: str | None, uri: str) -> RegisteredTarget:
    prompt = _prompt(client, name, version or _NEWEST)
    if prompt is None:
        known = [one.name for one in client.search_prompts(max_results=_MOST)]
        raise _nothing(f"prompt {name}{f' {version}' if version else ''}", known, uri)
    return RegisteredTarget(
        reference=prompt.where, model_id="", target=target_of_prompts(prompt.where, [prompt], readme="")
    )


def _of_model(client: MlflowClient, name: str, version: str | None, uri: str, *, by_alias: bool) -> RegisteredTarget:
    from mlflow.exceptions import MlflowException

    reference, description, logged = f"{_MODEL}{name}", "", None
    try:
        if version is not None:
            found = (
                client.get_model_version_by_alias(name, version)
                if by_alias
                else client.get_model_version(name, version)
            )
            reference, description = f"{_MODEL}{name}/{found.version}", found.description or ""
            logged = client.get_logged_model(found.model_id) if found.model_id else None
        else:
            logged = _logged(client, name)
    except MlflowException as error:
        if error.error_code not in _GONE:
            raise
    if logged is None and "/" not in reference.removeprefix(_MODEL):
        raise _nothing(f"model {name}{f' {version}' if version else ''}", _names_of_models(client), uri)
    prompts = _linked_prompts(client, logged) if logged is not None else []
    lines = [description] if description else []
    if logged is not None:
        lines += [
            f"{key}: {one_line(str(value), 500)}"
            for key, value in {**logged.params, **logged.tags}.items()
            if not key.startswith("mlflow.")
        ]
        lines += [f"type: {logged.model_type}"] if logged.model_type else []
        reference = reference if version is not None else f"{_MODEL}{logged.model_id}"
    return RegisteredTarget(
        reference=reference,
        model_id=logged.model_id if logged is not None else "",
        target=target_of_prompts(f"the model {name} in MLflow", prompts, readme="\n".join(lines)),
    )


def _logged(client: MlflowClient, name: str) -> LoggedModel | None:
    """A logged model by its id, else the newest of its name."""
    if re.fullmatch(r"m-[0-9a-f]{32}", name):
        return client.get_logged_model(name)
    experiments = [one.experiment_id for one in client.search_experiments()]
    mark = '"' if "'" in name else "'"
    found = client.search_logged_models(
        experiments,
        f"name = {mark}{name}{mark}",
        max_results=1,
        order_by=[{"field_name": "creation_time", "ascending": False}],
    )
    return found[0] if found else None


def _linked_prompts(client: MlflowClient, model: LoggedModel) -> list[TargetPrompt]:
    try:
        linked: Any = json.loads(model.tags.get(_LINKED, "[]"))
        wanted = [(str(one["name"]), str(one["version"])) for one in linked]
    except (ValueError, TypeError, KeyError):
        return []
    return [prompt for name, version in wanted if (prompt := _prompt(client, name, version)) is not None]


def _prompt(client: MlflowClient, name: str, version: str) -> TargetPrompt | None:
    """A version, or an alias, of a prompt; of a chat what each role is told."""
    from mlflow.exceptions import MlflowException

    try:
        found = (
            client.get_prompt_version(name, version)
            if version.isdigit()
            else client.get_prompt_version_by_alias(name, version)
        )
    except MlflowException as error:
        if error.error_code in _GONE:
            return None
        raise
    if found is None:
        return None
    template = found.template
    text = (
        template
        if isinstance(template, str)
        else "\n\n".join(f"{turn.get('role', '')}: {turn.get('content', '')}" for turn in template)
    )
    return TargetPrompt(name, text, f"{_PROMPT}{name}/{found.version}")


def _names_of_models(client: MlflowClient) -> list[str]:
    experiments = [one.experiment_id for one in client.search_experiments()]
    logged = [one.name for one in client.search_logged_models(experiments, max_results=_MOST)] if experiments else []
    return [*(one.name for one in client.search_registered_models(max_results=_MOST)), *logged]


def _nothing(what: str, known: list[str], uri: str) -> InputError:
    there = ", ".join(one_line(name, _LONGEST) for name in dict.fromkeys(known[:5]))
    return InputError(
        f"There is no {one_line(what, _LONGEST)} at {without_login(uri) or uri}.",
        f"It has {there}; `dsbuilder mlflow targets` lists all."
        if there
        else "`dsbuilder mlflow targets` lists what there is.",
    )
