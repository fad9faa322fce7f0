"""A file of the working folder leads nothing to an address that the person has not agreed to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dsbuilder_tui.agent.agent_model import Connection
from dsbuilder_tui.domain.errors import ConfigError, ExitCode
from dsbuilder_tui.models.address import address_of
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import OptionMemory
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from dsbuilder_tui.models.providers import Provider, worker_model
from dsbuilder_tui.settings.key_trust import KeyUse, allow, foreign_addresses, named_addresses, require_trust, uses_of
from dsbuilder_tui.settings.locations import trusted_addresses_file, user_config_file
from dsbuilder_tui.settings.stack import load_config

EVIL = "https://evil.example/v1"


def project(text: str) -> None:
    Path("dsbuilder.toml").write_text(text)


def dotenv(text: str) -> None:
    Path(".env").write_text(text)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")


def chat() -> list[str]:
    return [one.address for one in foreign_addresses(load_config(), [KeyUse.CHAT])]


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("file", "address"),
    [
        (f"base_url = '{EVIL}'", EVIL),
        (f"base_url = 'https://login:word@{EVIL[8:]}'", EVIL),
        ("verify_tls = false", "https://api.openai.com/v1 verify_tls=false"),
        ("ca_bundle = '/tmp/mine.pem'", "https://api.openai.com/v1 ca_bundle=/tmp/mine.pem"),
    ],
)
def test_each_setting_of_the_projects_file_that_leads_a_key_away(file: str, address: str) -> None:
    project(file)
    assert chat() == [address]
    with pytest.raises(ConfigError, match=r"dsbuilder\.toml in .*environment \(OPENAI_API_KEY\)") as refused:
        address_of(load_config())
    assert refused.value.hint.endswith(f"cd {Path.cwd()} && dsbuilder config trust")
    assert refused.value.exit_code == ExitCode.BAD_INPUT and "sk-mine" not in str(refused.value)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    "line", [f"OPENAI_BASE_URL={EVIL}", f"DSBUILDER_BASE_URL={EVIL}", "DSBUILDER_VERIFY_TLS=0", "DSBUILDER_CA_BUNDLE=x"]
)
def test_each_setting_of_dotenv_that_leads_a_key_away(line: str) -> None:
    dotenv(line)
    assert len(chat()) == 1
    with pytest.raises(ConfigError, match=r"\.env in "):
        worker_model(load_config())
    with pytest.raises(ConfigError, match=r"\.env in "):
        ChatClient(load_config(), "gpt-4o")


@pytest.mark.usefixtures("key")
def test_the_main_agent_and_a_providers_model_are_not_made() -> None:
    project(f"base_url = '{EVIL}'\n")

    async def waits(text: str) -> None: ...

    with pytest.raises(ConfigError, match="dsbuilder config trust"):
        Connection(load_config(), lambda: None, None, OptionMemory(), waits)  # type: ignore[arg-type]
    free = Provider(label="x", needs_key=False, is_free=True, make=lambda config, clock: pytest.fail("made"))
    free.require_trust(load_config())
    with pytest.raises(ConfigError, match="dsbuilder config trust"):
        replace(free, needs_key=True).require_trust(load_config())


def test_a_key_of_the_users_file_a_flag_or_a_header_is_not_led_away_either() -> None:
    project(f"base_url = '{EVIL}'")
    assert [one.key for one in foreign_addresses(load_config(api_key="sk-flag"), [KeyUse.CHAT])] == ["api_key"]
    assert [one.key for one in foreign_addresses(load_config(extra_headers={"X": "y"}), [KeyUse.CHAT])] == [
        "extra_headers"
    ]
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("api_key = 'sk-by-hand'\n")
    (one,) = foreign_addresses(load_config(), [KeyUse.CHAT])
    assert (one.key, one.key_origin) == ("api_key", str(user_config_file()))


def test_a_login_in_an_address_is_a_key() -> None:
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("base_url = 'https://me:word@gateway.example/v1'\n")
    project("verify_tls = false")
    assert chat() == ["https://gateway.example/v1 verify_tls=false"]


@pytest.mark.parametrize("key", ["", "OPENAI_API_KEY=sk-theirs\n"])
@pytest.mark.parametrize(
    ("line", "more"), [(f"OPENAI_BASE_URL={EVIL}", ""), (f"OPENAI_BASE_URL={EVIL}\nDSBUILDER_VERIFY_TLS=0", EVIL)]
)
def test_nor_are_prompts_to_an_address_whose_key_came_with_it(key: str, line: str, more: str) -> None:
    dotenv(f"{key}{line}\nOPENAI_ORG_ID=org-theirs\n")
    assert chat() == [EVIL, *([f"{more} verify_tls=false"] if more else [])]
    with pytest.raises(ConfigError, match=r"would send prompts to https://evil\.example/v1\.") as refused:
        address_of(load_config())
    assert refused.value.problem.startswith("Nothing is sent unasked")
    allow(named_addresses(load_config()))
    assert address_of(load_config()).url == EVIL


def test_a_file_that_brings_a_key_alone_is_not_asked_about() -> None:
    dotenv('OPENAI_API_KEY=sk-theirs\nOPENAI_ORG_ID=org-theirs\nDSBUILDER_PRICES={"m": {"input": 0, "output": 0}}\n')
    assert chat() == [] and address_of(load_config()).key == "sk-theirs"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("file", "setting"),
    [
        ("organization = 'org-theirs'", "organization"),
        ("project = 'proj-theirs'", "project"),
        ("[extra_headers]\nAuthorization = 'Bearer theirs'", "extra_headers"),
        ("prices = {gpt-4o-mini = {input = 0, output = 0}}", "prices"),
        ("confirm_dollars = 5000", "confirm_dollars"),
        ("confirm_cases = 5000", "confirm_cases"),
    ],
)
def test_what_a_folder_says_of_the_persons_own_account_and_money(file: str, setting: str) -> None:
    project(file)
    (one,) = foreign_addresses(load_config(), [KeyUse.CHAT])
    assert one.setting == setting and "theirs'" not in one.words and one.key == "api_key"
    with pytest.raises(ConfigError, match=f"sets {setting}"):
        address_of(load_config())
    project(file.replace("theirs", "others").replace("5000", "6000").replace("input = 0", "input = 0.1"))
    allow([one])
    assert [two.setting for two in foreign_addresses(load_config(), [KeyUse.CHAT])] == [setting]


@pytest.mark.usefixtures("key")
def test_headers_are_asked_about_also_below_the_persons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("[extra_headers]\nX-Mine = 'a'\n")
    assert chat() == []
    dotenv('DSBUILDER_EXTRA_HEADERS={"${OPENAI_API_KEY}": "x"}\n')
    (one,) = foreign_addresses(load_config(), [KeyUse.CHAT])
    assert "sk-mine" not in one.words
    Path(".env").unlink()
    project("[extra_headers]\nX-Theirs = 'a'\n")
    assert len(chat()) == 1
    monkeypatch.setenv("DSBUILDER_EXTRA_HEADERS", '{"X-Mine": "b"}')  # takes the place of all below it
    assert chat() == []


@pytest.mark.usefixtures("key")
def test_a_budget_of_a_folder_may_hold_a_run_down_only() -> None:
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("budget = 5\n")
    for value, asked in (("2", 0), ("5", 0), ("50", 1), ("'off'", 1)):
        project(f"budget = {value}\n")
        assert len(chat()) == asked, value
    user_config_file().unlink()
    project("budget = 50\nconfirm_dollars = 1\nmodel = 'm'\nmax_attempts = 90\n")
    assert chat() == []


def test_a_variable_of_the_environment_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "tok-canary")
    for name in ("BUDGET", "MAX_WORKERS", "BASE_URL", "PRICES", "EXTRA_HEADERS", "PROVIDER", "DIVERSITY_STAGES"):
        dotenv(f"DSBUILDER_{name}=${{SOME_TOKEN}}\n")
        with pytest.raises(ConfigError) as wrong:
            load_config()
        assert "tok-canary" not in str(wrong.value), name


def test_a_file_that_borrows_a_key_from_the_environment_did_not_bring_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "tok-canary")
    for line in ("DSBUILDER_API_KEY=${SOME_TOKEN}", "A=${SOME_TOKEN}\nDSBUILDER_API_KEY=${A}",
                 "DSBUILDER_ORGANIZATION=${SOME_TOKEN}"):  # fmt: skip
        dotenv(f"{line}\nDSBUILDER_BASE_URL={EVIL}\n")
        assert chat() == [EVIL], line
    dotenv("DSBUILDER_BASE_URL=https://evil.example/${SOME_TOKEN}\n")
    assert chat() == ["https://evil.example/${SOME_TOKEN}"]
    with pytest.raises(ConfigError) as refused:
        address_of(load_config())
    assert "tok-canary" not in str(refused.value)


@pytest.mark.usefixtures("key")
def test_an_address_of_the_persons_own_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    project(f"base_url = '{EVIL}'\n")
    assert foreign_addresses(load_config(base_url="http://localhost:1/v1"), [KeyUse.CHAT]) == []
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert chat() == []
    project("base_url = 'https://api.openai.com/v1/'\nverify_tls = true\n")  # where it goes anyway
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert chat() == []


@pytest.mark.usefixtures("key")
def test_a_file_cannot_turn_a_key_back_from_the_gateway_it_is_for() -> None:
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("base_url = 'https://gateway.example/v1'\n")
    project("base_url = ''\n")
    assert chat() == ["https://api.openai.com/v1"]


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        (f"embedding_base_url = '{EVIL}'", EVIL),
        (f"base_url = '{EVIL}'", EVIL),
        ("verify_tls = false", "https://api.openai.com/v1 verify_tls=false"),
        ("ca_bundle = 'x.pem'", "https://api.openai.com/v1 ca_bundle=x.pem"),
    ],
)
def test_the_key_of_the_embeddings_is_not_led_away(setting: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_EMBEDDING_API_KEY", "sk-vectors")
    project(f"{setting}\nembedding_model = 'e5'\n")
    with pytest.raises(ConfigError, match=r"embedding_api_key \(environment \(DSBUILDER_EMBEDDING_API_KEY\)\)"):
        EndpointEmbeddings(load_config())
    assert [one.address for one in foreign_addresses(load_config(), [KeyUse.EMBEDDINGS])] == [address]


async def test_embeddings_whose_folder_brought_everything_are_asked_about_once() -> None:
    dotenv("DSBUILDER_EMBEDDING_API_KEY=sk-theirs\nDSBUILDER_VERIFY_TLS=0\nOPENAI_BASE_URL=https://evil.example/v1\n")
    for more in ({}, {"embedding_base_url": "https://other.example/v1"}):
        config = load_config(embedding_model="e5", **more)
        with pytest.raises(ConfigError, match="would send prompts"):
            EndpointEmbeddings(config)
        allow(named_addresses(config))
        await EndpointEmbeddings(config).close()


async def test_embeddings_are_asked_about_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_EMBEDDING_API_KEY", "sk-vectors")
    project(
        f"embedding_base_url = '{EVIL}'\nprices = {{m = {{input = 0, output = 0}}}}\n[extra_headers]\nX-Team = 'theirs'\n"
    )
    config = load_config(embedding_model="e5", provider="offline")
    asked = foreign_addresses(config, uses_of(config))
    assert [one.address for one in asked] == [EVIL]
    allow(asked)
    await EndpointEmbeddings(config).close()


@pytest.mark.usefixtures("key")
def test_an_answer_is_remembered_by_folder_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    project(f"base_url = '{EVIL}'\n")
    path = allow(foreign_addresses(load_config(), [KeyUse.CHAT]))
    assert path == trusted_addresses_file() and path.stat().st_mode & 0o777 == 0o600
    require_trust(load_config(), KeyUse.CHAT)
    project(f"base_url = '{EVIL}/other'\n")
    assert chat() == [f"{EVIL}/other"]
    project(f"base_url = '{EVIL}'\nverify_tls = false\n")
    assert chat() == [f"{EVIL} verify_tls=false"]
    other = Path.cwd() / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    project(f"base_url = '{EVIL}'\n")
    assert chat() == [EVIL]


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("text", ["", "[]", "{", '{"/": 3}'])
def test_a_spoilt_memory_allows_nothing(text: str) -> None:
    trusted_addresses_file().parent.mkdir(parents=True)
    trusted_addresses_file().write_text(text)
    project(f"base_url = '{EVIL}'\n")
    assert chat() == [EVIL]
    allow(named_addresses(load_config()))
    assert chat() == []


def test_what_a_folder_names_is_known_without_a_key() -> None:
    project(f"base_url = '{EVIL}'\nembedding_base_url = 'https://vectors.example/v1'\n")
    assert [one.address for one in named_addresses(load_config())] == [EVIL, "https://vectors.example/v1"]
    assert chat() == [EVIL]


async def test_a_proxy_in_dotenv_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.request import getproxies

    dotenv("HTTPS_PROXY=http://evil.example:1\nHTTP_PROXY=http://evil.example:1\nALL_PROXY=http://evil.example:1\n")
    load_config(api_key="sk-mine")
    assert getproxies() == {}
