"""A key goes over a network unencrypted only when the person has said so; and a cloned folder sends nothing anywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dsbuilder_tui.domain.errors import ConfigError, EndpointRefused
from dsbuilder_tui.models.address import address_of
from dsbuilder_tui.models.resolver import GuardedResolver
from dsbuilder_tui.settings.key_trust import ANYWHERE, KeyUse, allow, foreign_addresses, forget, plain_http
from dsbuilder_tui.settings.stack import load_config
from tests.support.bystander import Bystander
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command

PLAN = "dataset_name: shop\ncategories:\n  - {name: orders, count: 3, example_inputs: 'Where is order #12345?'}\n"


@pytest.mark.parametrize("key", [{"api_key": "sk-canary"}, {"extra_headers": {"X-Key": "sk-canary"}}, {}])
@pytest.mark.parametrize("host", ["gpu.example:8000", "10.0.0.7", "[2001:db8::1]", "0.0.0.0:1", "localhost.example"])
def test_it_is_asked_about_once(key: dict[str, object], host: str) -> None:
    login = "" if key else "me:sk-canary@"
    config = load_config(base_url=f"http://{login}{host}/v1", **key)
    with pytest.raises(ConfigError, match="is not encrypted") as refused:
        address_of(config)
    assert refused.value.hint == f"To allow it:  dsbuilder config trust {quoted(f'http://{host}')}"
    assert "sk-canary" not in str(refused.value)
    allow(foreign_addresses(config, [KeyUse.CHAT]))
    assert address_of(config).url == f"http://{host}/v1"
    assert address_of(load_config(base_url=f"http://{host}/v2", api_key="sk-other")).url == f"http://{host}/v2"
    with pytest.raises(ConfigError):
        address_of(load_config(base_url="http://another.example/v1", api_key="sk-canary"))
    assert forget(ANYWHERE, plain_http(f"http://{host}/v3").address) == [f"http://{host}"]
    with pytest.raises(ConfigError):
        address_of(config)


def quoted(text: str) -> str:
    return f"'{text}'" if "[" in text else text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]:80", "me.localhost"])
def test_this_machine_and_what_has_no_key_are_not_asked_about(host: str) -> None:
    assert address_of(load_config(base_url=f"http://{host}/v1", api_key="sk-canary"))
    assert address_of(load_config(base_url="http://gpu.example/v1"))
    assert address_of(load_config(base_url="https://gpu.example/v1", api_key="sk-canary"))
    with pytest.raises(ConfigError, match="no http:// address of another machine"):
        plain_http(f"http://{host}")


def test_embeddings_have_a_key_of_their_own() -> None:
    config = load_config(
        embedding_base_url="http://gpu.example/v1", embedding_api_key="sk-canary", base_url="https://h.example/v1"
    )
    (one,) = foreign_addresses(config, list(KeyUse))
    assert (one.setting, one.key) == ("embedding_base_url", "embedding_api_key")
    assert not foreign_addresses(load_config(embedding_base_url="http://gpu.example/v1", api_key="sk-1"), list(KeyUse))


async def test_the_command_allows_it_and_takes_it_back(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    async with FakeOpenAI() as server:
        address = f"http://0.0.0.0:{server.port}"  # this machine, by a name that does not say so
        env = {"OPENAI_API_KEY": "sk-canary", "OPENAI_BASE_URL": f"{address}/v1"}

        async def run(*words: str) -> tuple[int, str]:
            done = await asyncio.to_thread(command, *words, cwd=tmp_path, env=env)
            return done.returncode, done.stdout + done.stderr

        code, said = await run("run", "plan.yaml")
        assert code == 2 and f"dsbuilder config trust {address}" in said and not server.headers
        assert (await run("config", "trust", f"{address}/v1"))[0] == 0
        assert (await run("run", "plan.yaml"))[0] == 0 and server.headers
        assert f"{address} is not allowed any more" in (await run("config", "untrust", address))[1]
        assert (await run("resume", "--retry-exhausted"))[0] in (0, 2) and (await run("run", "plan.yaml"))[0] == 2


async def test_a_name_that_stands_for_a_link_local_address_is_not_asked() -> None:
    resolver = GuardedResolver()
    assert await resolver.resolve("localhost", 80)
    for name in ("2852039166", "0xa9fea9fe", "169.254.169.254"):
        with pytest.raises(EndpointRefused, match="stands for 169"):
            await resolver.resolve(name, 80)
    await resolver.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dsbuilder.toml", "base_url = '{url}'\n"),
        ("dsbuilder.toml", "embedding_base_url = '{url}'\nembedding_model = 'e5'\nverify_tls = false\n"),
        (".env", "OPENAI_BASE_URL={url}\nHTTP_PROXY={url}\nhttp_proxy={url}\nALL_PROXY={url}\n"),
        (".env", "DSBUILDER_BASE_URL={url}\nDSBUILDER_ORGANIZATION=${{OPENAI_API_KEY}}\n"),
        (".env", "DSBUILDER_API_KEY=${{OPENAI_API_KEY}}\nDSBUILDER_BASE_URL={url}/${{OPENAI_API_KEY}}\n"),
        (".env", "OPENAI_API_KEY=sk-theirs\nOPENAI_BASE_URL={url}\n"),
        (".env", "DSBUILDER_API_KEY=sk-theirs\nDSBUILDER_EMBEDDING_API_KEY=sk-theirs\nDSBUILDER_BASE_URL={url}\n"),
        ("dsbuilder.toml", "api_key = 'sk-theirs'\nbase_url = '{url}'\n[extra_headers]\nX-Team = 'theirs'\n"),
    ],
)
@pytest.mark.parametrize("keyed", [True, False])
async def test_a_cloned_folder_sends_nothing_anywhere(tmp_path: Path, name: str, text: str, keyed: bool) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "rows.jsonl").write_text('{"inputs": {"query": "a"}}\n{"inputs": {"query": "b"}}\n')
    env = {"OPENAI_API_KEY": "sk-canary", "DSBUILDER_EMBEDDING_API_KEY": "sk-canary"} if keyed else {}
    async with Bystander() as other:
        (tmp_path / name).write_text(text.format(url=other.url))
        for words in (
            ["run", "plan.yaml"], ["run", "--prompt", "12 cases for a shop", "--yes"], ["doctor"], ["sessions"], ["config"],
            ["dedup", "rows.jsonl", "--set", "embedding_model=e5"], ["studio", "--plain"], ["resume"],
        ):  # fmt: skip
            done = await asyncio.to_thread(command, *words, cwd=tmp_path, env=env)
            assert "sk-canary" not in done.stdout + done.stderr and "Traceback" not in done.stderr
            embeds = "embedding_base_url" in text and words[0] != "dedup"  # there is no key: the built-in writer writes
            if words[0] in ("run", "doctor", "dedup") and (keyed or not embeds):
                assert done.returncode == 2 and "dsbuilder config trust" in done.stderr, words
        assert not other.connections


def test_nor_does_it_bring_code(tmp_path: Path) -> None:
    modules = ("json", "yaml", "aiohttp", "sitecustomize_of_theirs", "cloned_plug_in")
    (tmp_path / "plan.yaml").write_text(PLAN)
    groups = ("providers", "stages", "validators", "formats", "import_formats", "row_shapes")
    for module in modules:
        (tmp_path / f"{module}.py").write_text("open('ran_' + __name__, 'w').close()\nPROVIDER = None\n")
        info = tmp_path / f"cloned_{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cloned_{module}\nVersion: 1.0\n")
        entries = "".join(f"[dsbuilder.{group}]\n{module} = {module}:PROVIDER\n" for group in groups)
        (info / "entry_points.txt").write_text(entries)
    for words in (["doctor"], ["run", "plan.yaml"], ["config"], ["run", "plan.yaml", "--provider", "cloned_plug_in"]):
        done = command(*words, cwd=tmp_path, env={"PYTHONHASHSEED": "0"})  # an interpreter of its own
        assert not list(tmp_path.glob("ran_*")) and "Traceback" not in done.stderr, words
        assert done.returncode == (2 if "--provider" in words else 0), done.stderr
