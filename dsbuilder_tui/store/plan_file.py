"""Plans from YAML and JSON files, and the examples that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import yaml

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.store.yaml_text import YamlTooLarge, check_yaml_size, yaml_problem

try:
    from yaml import CSafeLoader as _SafeLoader  # ten times as fast
except ImportError:  # a PyYAML without the C library
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_MOST_BYTES = 10 * 1024 * 1024
_MOST_VALUES = 1_000_000  # with aliases followed
_MOST_ANCHORS = 1_000


class _Loader(_SafeLoader):
    """YAML as usual, but a key that stands twice in one mapping is an error, not a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value if isinstance(key.value, str) else id(key))
        return super().construct_mapping(node, deep=deep)


def read_plan(path: Path) -> Any:
    """What stands in a ``.yaml``, ``.yml`` or ``.json`` file, not checked yet. Raises ``InputError`` with the way out."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder.", "Name a plan file ending in .yaml or .json.")
        with path.open("rb") as file:  # also of what has no size, such as a pipe, no more is read
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise InputError(f"{path} is larger than 10 MB.", "A plan is a short text; is this the right file?")
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"There is no plan file {path}.", "Check the path, or see `dsbuilder examples` for one to start from."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}).", "Save it as UTF-8."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from None
    return _parse(text, path)


def plan_of_text(text: str, source: str) -> DatasetPlanInput:
    """A plan from YAML text. Raises ``InputError`` or ``PlanError`` naming ``source``."""
    return parse_plan(_parse(text, Path(source)), source)


def _parse(text: str, path: Path) -> Any:
    if path.suffix.lower() == ".json":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path} is not JSON: {error}.", "Mend the line it names.") from None
    try:
        check_yaml_size(text, _Loader, _MOST_VALUES, _MOST_ANCHORS)
        return yaml.load(text, Loader=_Loader)
    except YamlTooLarge as error:
        raise InputError(f"{path} is too large to be a plan: {error}.", "Is this the right file?") from None
    except yaml.YAMLError as error:
        raise yaml_problem(error, str(path)) from None
    except (ValueError, TypeError) as error:  # a date without such a day, a key that cannot be one
        raise InputError(f"{path} has a value that cannot be read: {error}.", "Mend it, or put it in quotes.") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply to be a plan.", "Is this the right file?") from None


def example_names() -> list[str]:
    folder = resources.files("dsbuilder_tui.examples")
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))


def load_example(name: str) -> DatasetPlanInput:
    """A packaged example plan by name. Raises ``InputError`` naming those there are."""
    if name not in example_names():
        raise InputError(f"There is no example called {name!r}.", f"There are: {', '.join(example_names())}.")
    text = resources.files("dsbuilder_tui.examples").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return parse_plan(yaml.load(text, Loader=_SafeLoader), f"example {name}")
