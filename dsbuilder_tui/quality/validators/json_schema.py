"""The validator of own keys: values of the expectation, or of the inputs, keep a JSON schema."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions


class JsonSchemaOptions(ValidatorOptions):
    """A JSON schema for each key, of the ``expectations`` and of the ``inputs``. A key that is not there is not held to
    its own."""

    expectations: dict[str, dict[str, Any]] = Field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = Field(default_factory=dict)


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: JsonSchemaOptions) -> Check:
    import jsonschema  # a tenth of a second, and few plans need it

    if not options.expectations and not options.inputs:
        raise ValueError(
            "needs a schema; write for example {json_schema: {expectations: {priority: {enum: [low, high]}}}}"
        )
    kind = jsonschema.Draft202012Validator
    for key, schema in (*options.expectations.items(), *options.inputs.items()):
        try:
            kind.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"the schema of {key!r} is none: {error.message}; mend it") from None
    sides = [
        (side, {key: kind(schema) for key, schema in schemas.items()})
        for side, schemas in (("expectations", options.expectations), ("inputs", options.inputs))
    ]

    def check(case: CheckedCase) -> str | None:
        for side, schemas in sides:
            values = case.expectations if side == "expectations" else case.inputs
            for key, schema in schemas.items():
                if key in values and (error := jsonschema.exceptions.best_match(schema.iter_errors(values[key]))):
                    at = "".join(f"[{step!r}]" for step in error.absolute_path)
                    return f"`{key}{at}` of `{side}` does not keep its schema: {error.message[:200]}"
        return None

    return check


VALIDATOR = Validator(words="values of own keys keep their JSON schema", prepare=_prepare, options=JsonSchemaOptions)
