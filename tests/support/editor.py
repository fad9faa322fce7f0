"""An ``$EDITOR``: says that it has the terminal, waits for a key, changes one word in the file, and ends."""

from __future__ import annotations

import sys
import termios
import tty
from pathlib import Path

if __name__ == "__main__":
    file = Path(sys.argv[1])
    kept = termios.tcgetattr(0)
    tty.setcbreak(0)
    sys.stdout.write("\x1b[2J\x1b[1;1HEDITOR HAS THE TERMINAL")
    sys.stdout.flush()
    sys.stdin.read(1)
    termios.tcsetattr(0, termios.TCSANOW, kept)
    file.write_text(file.read_text().replace('"expectations": {', '"expectations": {"by_hand": true, ', 1))
    sys.stdout.write("EDITOR ENDS")
    sys.stdout.flush()
