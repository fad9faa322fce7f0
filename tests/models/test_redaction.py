"""A secret is taken out of whatever somebody echoes, in every form that it may have there."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.models.address import address_of
from dsbuilder_tui.models.redaction import HIDDEN, StreamRedactor, forms_of, hide
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.settings.urls import without_login
from tests.support.bystander import Bystander
from tests.support.process import command

SECRETS = ['sk-canary-Zk3/p+q=r&s%t"u\\v~canary-9', "sk-proj-0123456789abcdef", "pä ß/wörd-with@colon:"]


def inside(before: str, secret: str, after: str) -> str:
    return base64.b64encode(f"{before}{secret}{after}".encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "hex with colons": lambda secret: secret.encode().hex(":"),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 without =": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64 of URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 with Bearer": lambda secret: inside("Bearer ", secret, ""),
    "base64 of a login": lambda secret: inside("me:", secret, ""),
    "base64 of JSON": lambda secret: inside('{"key": "', secret, '"}'),
    "base64 after one more": lambda secret: inside("1", secret, "\n"),
    "quoted": lambda secret: quote(secret, safe=""),
    "quoted in small letters": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "quoted plus": quote_plus,
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "every byte quoted": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "JSON": lambda secret: json.dumps(secret),
    "JSON as UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "repr": repr,
    "HTML": html.escape,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_of_a_secret_is_hidden(secret: str, encoding: str) -> None:
    text = ENCODINGS[encoding](secret)
    shown = hide(f"Key {text}!", forms_of([secret]))
    assert HIDDEN in shown and shown.startswith("Key ") and shown.endswith("!")
    left = shown.replace(HIDDEN, "")
    assert len(left) <= len("Key !") + len(text) - len(base64.b64encode(secret.encode())) + 24, shown
    assert not [form for form in forms_of([secret]) if form in shown]
    redactor = StreamRedactor(forms_of([secret]))
    assert "".join([*(redactor.take(piece) for piece in f"Key {text}!"), redactor.rest()]) == shown


def test_a_text_that_only_resembles_a_secret_stays() -> None:
    text = "sk-canary sk-proj c2stcHJvag== 736b2d70"
    assert hide(text, forms_of(SECRETS)) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:word@host/v1", "https://host/v1"),
        ("https://token@host:8000/v1", "https://host:8000/v1"),
        ("https://me:a@b@host/v1", "https://host/v1"),
        ("https://me:pa%2Fss@[::1]:80/v1", "https://[::1]:80/v1"),
        ("https://me:pa/ss@host/v1", "https://host/v1"),
        ("https://me:pa?ss@host/v1", "https://host/v1"),
        ("htps//me:word@host/v1", "host/v1"),
        ("me:word@host/v1", "host/v1"),
        ("https://evil.example/@api.openai.com/v1", "https://evil.example/@api.openai.com/v1"),
        ("https://evil.example?@api.openai.com/v1", "https://evil.example?@api.openai.com/v1"),
        ("https://host/v1", "https://host/v1"),
        ("https://host/v1?api-version=1&key=abc", "https://host/v1?api-version=1"),
        ("https://host/v1?key=abc&api-version=1#x", "https://host/v1?api-version=1#x"),
        ("https://me:word@host/v1?X-Api-Key=abc", "https://host/v1"),
        ("https://host/v1?sig=a%2Fb&access_token=c&a=1", "https://host/v1?a=1"),
        ("https://host/v1?api-version=1&key=", "https://host/v1?api-version=1&key="),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_shown_without_a_login_and_with_its_own_host(url: str | None, shown: str | None) -> None:
    assert without_login(url) == shown


@pytest.mark.parametrize(
    "url", ["https://me:w%C3%B6rd%2F@h/v1", "https://w%c3%b6rd%2f@h/v1", "https://me:wörd%2F@h/v1"]
)
def test_a_password_in_an_address_is_a_secret_in_every_form(url: str) -> None:
    address = address_of(load_config(base_url=url))
    login = base64.b64decode(address.headers["Authorization"].removeprefix("Basic ")).decode()
    assert "wörd/" in login
    for text in ("wörd/", "w%C3%B6rd%2F", "w%c3%b6rd%2f", url, login, "wörd/".encode().hex(), login.encode().hex()):
        shown = address.redact(f"no {text}")
        assert "rd" not in shown and "7264" not in shown, shown
    assert address.url == "https://h/v1"


@pytest.mark.parametrize(
    "url", ["http://me:canary-w%2Frd@127.0.0.1:{port}/v1", "http://127.0.0.1:{port}/v1?key=canary-w%2Frd"]
)
@pytest.mark.parametrize("words", [["doctor"], ["run", "--example", "customer_service", "--max-dataset-size", "500"]])
async def test_no_command_shows_it_whatever_the_server_echoes(words: list[str], url: str, tmp_path: Path) -> None:
    def echo(path: str) -> bytes:
        body = (
            "canary-w/rd me:canary-w/rd 63616e6172792d772f7264 canary-w%2Frd Y2FuYXJ5LXcvcmQ= http://me:canary-w%2Frd@h"
        )
        head = f"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"{head}{body}".encode()

    async with Bystander(echo) as server:
        env = {"OPENAI_BASE_URL": url.format(port=server.port)}
        done = await asyncio.to_thread(command, *words, cwd=tmp_path, env=env)
        said = done.stdout + done.stderr
        assert server.connections and done.returncode
    for form in ("canary", "63616e6172", "Y2FuYXJ5"):
        assert form not in said, said
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or form.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    "words",
    [
        ["config", "set", "base_url", "http://me:canary@localhost:1/v1"],
        ["config", "set", "base_url", "htp://me:canary@localhost:1/v1"],
        ["config", "set", "base_url", "me:canary@localhost:1/v1"],
        ["config", "set", "extra_headers", '{"X-Key": "canary"}'],
        ["config", "--base-url", "http://me:canary@localhost:1/v1"],
        ["config", "--base-url", "htp://me:canary@localhost:1/v1", "--json"],
        ["doctor", "--base-url", "http://me:can/ary@localhost:1/v1"],
        ["doctor", "--base-url", "http://me:canary@localhost:0/v1"],
        ["doctor", "--base-url", "http://me:canary@[::1/v1"],
        ["doctor", "--base-url", "http://me:canary@127.0.0.1:9/v1"],
        ["doctor", "--base-url", "http://127.0.0.1:9/v1?api-version=1&key=canary"],
        ["config", "--base-url", "http://127.0.0.1:9/v1?key=canary"],
        ["config", "set", "base_url", "http://127.0.0.1:9/v1?key=canary"],
        [
            "run",
            "--example",
            "customer_service",
            "--max-dataset-size",
            "500",
            "--base-url",
            "http://h.invalid/v1?key=canary",
            "--set",
            "max_retries=0",
        ],
    ],
)
def test_what_is_said_of_an_address_does_not_repeat_its_password(words: list[str], tmp_path: Path) -> None:
    done = command(*words, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert "canary" not in said and "can/ary" not in said and "Traceback" not in said, said


def test_the_representation_of_a_configuration_has_none() -> None:
    config = DatasetBuilderConfig(base_url="http://me:canary@h:1/v1", embedding_base_url="http://canary@h:1/v1")
    assert "canary" not in f"{config!r}{config.explicit}{config.endpoint}{config.shown_urls()}"
