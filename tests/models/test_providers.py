"""Providers: the built-in ones and a plug-in's stand in one table, and each says itself what it costs and needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ConfigError, ExitCode
from dsbuilder_tui.models.providers import Provider, provider_of, worker_model
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.provider_names import PROVIDERS, provider_names
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import writer_name, writer_words
from tests.support.plug_ins import install_plug_in, plugged_in

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]

PLUG_IN = """\
import json
import random

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.models.protocol import StreamEnd
from dsbuilder_tui.models.providers import Provider

WORDS = "parcel invoice refund password address warranty delivery voucher account colour size order".split()


class Dice:
    name, provider, ordered = "dice-1", "dice", True

    def check(self, plan):
        return []

    async def stream(self, request):
        for number, wanted in enumerate(request.slots, 1):
            draw = random.Random(f"{request.seed} {wanted.slot.ordinal} {wanted.attempt}")
            yield json.dumps({"slot": number, "inputs": {"query": " ".join(draw.sample(WORDS, 6))}})
        yield StreamEnd("stop", Usage())

    async def close(self):
        pass


PROVIDER = Provider(
    label="the dice", model_name="dice-1", needs_key=False, is_free=True, make=lambda config, clock: Dice()
)
"""


@pytest.fixture
def plug_in(tmp_path: Path) -> Iterator[Path]:
    """An installed package that adds the provider ``dice``, and one that cannot be imported."""
    entries = "[dsbuilder.providers]\ndice = dice_provider:PROVIDER\ngone = not_there:PROVIDER\n"
    folder = install_plug_in(tmp_path / "site", "dicing", {"dice_provider": PLUG_IN}, entries)
    with plugged_in(folder, PROVIDERS):
        yield folder


def test_the_built_in_rows_say_what_they_are(make_config: Configs) -> None:
    offline, openai = make_config(), make_config(base_url="http://localhost:1/v1", worker_model="tiny")
    assert (provider_of(offline).is_free, provider_of(offline).needs_key) == (True, False)
    assert (provider_of(openai).is_free, provider_of(openai).needs_key) == (False, True)
    assert (writer_words(offline), writer_name(offline)) == ("the built-in offline writer", "the built-in writer")
    assert (writer_words(openai), writer_name(openai)) == ("http://localhost:1/v1", "tiny")
    assert provider_of(offline).make_agent_model is None and provider_of(openai).make_agent_model is not None
    assert offline.lacks_provider and not openai.lacks_provider and not make_config(provider="offline").lacks_provider


async def test_a_plug_in_writes_a_dataset(plug_in: Path, make_config: Configs, make_plan: Plans) -> None:
    config = make_config(provider="dice")
    assert provider_names() == ("auto", "offline", "openai", "dice", "gone")
    assert worker_model(config).name == "dice-1" and writer_name(config) == "the dice"
    async with await Session.create(make_plan(4), config) as session:
        result = await session.run()
        assert result.state == "complete"
        summary = await session.summary()
        assert (summary.provider, summary.worker_model) == ("dice", "dice-1")


def test_a_name_that_nobody_registered_is_refused_with_the_choices(plug_in: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config(provider="ekho")
    assert "'auto', 'offline', 'openai', 'dice', 'gone'" in str(refused.value)


def test_a_broken_plug_in_is_named_when_it_is_asked_for(plug_in: Path, make_config: Configs) -> None:
    with pytest.raises(PlugInBroken, match="provider 'gone' of the package dicing cannot be loaded"):
        worker_model(make_config(provider="gone"))
    assert all(isinstance(row, Provider) for row in PROVIDERS.all().values()) and set(PROVIDERS.broken()) == {"gone"}


def test_naming_the_providers_imports_none_of_them() -> None:
    code = (
        "import sys;from dsbuilder_tui.settings.provider_names import provider_names;provider_names();"
        "from dsbuilder_tui import DatasetBuilderConfig as C;from dsbuilder_tui.wording import writer_words;"
        "before=[m for m in sys.modules if 'dsbuilder_tui.offline' in m or 'providers.openai' in m];"
        "writer_words(C());writer_words(C(base_url='http://x/v1'));"
        "print(before,[m for m in ('aiohttp','agents','openai','numpy','faker') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"


def test_the_doctor_names_what_other_packages_add(plug_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken one is a problem with its name, also when it is the one that is asked for."""
    for chosen in ("dice", "gone"):
        assert main(["doctor", "--json", "--provider", chosen]) == ExitCode.FAILED
        checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
        assert (checks["provider dice"]["status"], checks["provider gone"]["status"]) == ("ok", "problem")
        assert checks["provider dice"]["text"] == "of the package dicing"
        assert "'gone' of the package dicing cannot be loaded" in checks["provider gone"]["text"]
        assert ("writer" in checks) == (chosen == "dice")
