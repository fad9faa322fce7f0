"""The tests. This process is tuned as that of the command is, before numpy is imported."""

import os

# The threads of OpenBLAS turn in circles while they wait: of a session of thirty cases that was half the processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
