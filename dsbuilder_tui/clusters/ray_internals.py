"""Parts of Ray that have no public name: which they are, and what is said of a Ray that has them no more.

Without them it would print into the app's screen, listen to the network where it should stay at loopback, and not take the
token of a cluster of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final

from dsbuilder_tui.domain.errors import InputError

KNOWN: Final = "2.60"  # the release that all of this was seen working with
_WHAT_IS_MISSING = re.compile(r"'(\w{1,60})'(?: from|$)|(?:attribute|module named) '([\w.]{1,80})'")


@dataclass(frozen=True, slots=True)
class RayInternals:
    """``worker.print_to_stdstream`` and ``constants.ENABLE_RAY_CLUSTER`` are there; ``config`` and ``tokens`` are what has read
    the environment when Ray was imported."""

    worker: ModuleType
    constants: ModuleType
    config: Any
    tokens: Any


def ray_internals() -> RayInternals:
    """Import Ray. Raises ``InputError`` for one in which a part is missing."""
    try:
        from ray._private import ray_constants, worker
        from ray._raylet import AuthenticationTokenLoader, Config

        found = RayInternals(worker, ray_constants, Config, AuthenticationTokenLoader)
        for holder, name in (
            (found.worker, "print_to_stdstream"), (found.constants, "ENABLE_RAY_CLUSTER"), (found.config, "initialize"),
            (found.tokens, "instance"),
        ):  # fmt: skip
            getattr(holder, name)
    except (ImportError, AttributeError) as error:
        raise unknown_ray(str(error)) from None
    return found


def unknown_ray(missing: str) -> InputError:
    """The error for a Ray that is built in another way; ``missing`` is what Python says of a name that is not there."""
    said = _WHAT_IS_MISSING.search(missing)
    name = next(filter(None, said.groups()), "") if said else ""
    what = f" ({name} is not there)" if name else ""
    return InputError(
        f"Ray {version('ray')} is built in another way than dsbuilder knows{what}.",
        f"pip install 'ray[client]=={KNOWN}.*', here and on every node; or look for a newer dsbuilder.",
    )
