"""Secrets that are known from settings and environment, taken out of a report before it is kept."""

from __future__ import annotations

import os
import re

from dsbuilder_tui.models.address import secrets_of
from dsbuilder_tui.models.redaction import forms_of, hide
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_LEAST_SECRET = 4  # characters
_LOGIN = re.compile(r"://([^/@\s]+)@")
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


def without_secrets(text: str, config: DatasetBuilderConfig | None) -> str:
    """The text without the secrets of any layer of the settings, as far as they can be read, and of the environment."""
    named = {value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name)}
    logins = [login for value in os.environ.values() for login in _LOGIN.findall(value)]  # of proxies, say
    named |= {part for login in logins for part in (login, login.partition(":")[2])}
    known = secrets_of(config) if config is not None else ()
    return hide(text, forms_of({secret for secret in {*known, *named} if len(secret) >= _LEAST_SECRET}))
