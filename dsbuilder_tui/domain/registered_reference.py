"""References to an application that MLflow knows: ``prompts:/bot/2``, ``mlflow:models/bot``, ``models:/bot@live``."""

from __future__ import annotations

import re

REGISTERED = re.compile(
    r"(?:mlflow:(?=(?:prompts|models):?/)|(?=(?:prompts|models):/))(?P<kind>prompts|models):?/"
    r"(?P<name>[^/@\s]{1,500})(?:(?P<mark>[/@])(?P<version>[^/@\s]{1,200}))?"
)


def is_registered(reference: str) -> bool:
    """Whether a text is such a reference."""
    return REGISTERED.fullmatch(reference.strip()) is not None
