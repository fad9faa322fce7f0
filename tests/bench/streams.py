"""How many planted repeats are caught in long streams: ``python -m tests.bench.streams [texts]``."""

from __future__ import annotations

import sys

from tests.support.streams import KINDS, PATTERNS, judged, stream


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{count:,} texts a stream, three in ten repeat an earlier one\n")
    head = "".join(f"{kind:>16}" for kind in KINDS)
    print(f"{'pattern':<14}{'compared with':<16}{'recall':>8}{head}   wrongly turned away")
    for pattern in PATTERNS:
        for window in (None, 20):
            tally = judged(stream(pattern, count), window)
            kinds = "".join(f"{tally.recall_of(kind):>16.3f}" for kind in KINDS)
            label = "all before" if window is None else f"the last {window}"
            print(f"{pattern:<14}{label:<16}{tally.recall:>8.3f}{kinds}   {tally.wrongly} of {tally.fresh:,}")


if __name__ == "__main__":
    main()
