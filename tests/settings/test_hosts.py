"""Hosts by where they are, however they are written."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.models.address import address_of
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from dsbuilder_tui.settings.hosts import host_of, is_link_local, is_loopback
from dsbuilder_tui.settings.stack import load_config

LINK_LOCAL = [
    "169.254.169.254", "169.254.0.1", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "0xA9.0xFE.169.254", "169.254.43518", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fd00:ec2::254]", "100.100.100.200",
    "169。254。169。254", "169｡254｡169｡254", "169%2e254.169.254", "%31%36%39.254.169.254", "[::169.254.169.254]",
    "[::ffff:0:169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]", "[2001:0:a9fe:a9fe::1]", "[2001::5601:5601]", "[fd00:ec2::23]",
    "metadata。google。internal", "169.0376.43518", "169.254.169.254..",
    "192.0.0.192", "metadata.google.internal", "METADATA.Google.internal.", "metadata", "１６９.254.169.254",
]  # fmt: skip
OTHERS = [
    "169.253.1.1",
    "10.0.0.1",
    "api.openai.com",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "metadata.example.com",
    "cafe",
]


@pytest.mark.parametrize("host", LINK_LOCAL)
async def test_a_link_local_address_is_refused_unless_a_flag_names_it(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://{host}/v1"
    assert is_link_local(host_of(url))
    for name in ("OPENAI_BASE_URL", "DSBUILDER_BASE_URL"):
        monkeypatch.setenv(name, url)
        with pytest.raises(ConfigError, match="link-local or metadata address") as refused:
            address_of(load_config())
        assert "--base-url" in refused.value.hint
        with pytest.raises(ConfigError, match="link-local"):
            EndpointEmbeddings(load_config(embedding_model="e5"))
        monkeypatch.delenv(name)
    monkeypatch.setenv("DSBUILDER_EMBEDDING_BASE_URL", url)
    with pytest.raises(ConfigError, match="link-local"):
        EndpointEmbeddings(load_config(embedding_model="e5", base_url="http://localhost:1/v1"))
    monkeypatch.delenv("DSBUILDER_EMBEDDING_BASE_URL")
    assert address_of(load_config(base_url=url)).url == url
    await EndpointEmbeddings(load_config(embedding_base_url=url, embedding_model="e5")).close()


@pytest.mark.parametrize("host", OTHERS)
def test_another_address_is_none(host: str) -> None:
    assert not is_link_local(host_of(f"http://{host}/v1"))


def test_this_machine() -> None:
    here = [
        "localhost",
        "LOCALHOST",
        "x.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "2130706433",
        "[::ffff:127.0.0.1]",
    ]
    assert all(is_loopback(host_of(f"http://{host}:1/v1")) for host in here)
    there = [
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "10.0.0.1",
        "localhost.example.com",
        "notlocalhost",
        "example.com",
        "0.0.0.0",
        "[2001:db8::1]",
        "",
    ]
    assert not any(is_loopback(host_of(f"http://{host}:1/v1")) for host in there)
