"""One SVG that plays a recording: every rectangle and text of the screen once, shown while it is on the screen.

It needs no script and loads nothing, so it plays as a picture in a page. Where nothing moves, by the reader's wish or the
viewer's ability, it shows one chosen frame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

_CELL, _LINE = 12.2, 24.4  # of a character in Textual's own picture, in its pixels
_FONTS = "Fira Code,DejaVu Sans Mono,Menlo,Consolas,monospace"
_CHROME, _BACK = "#292929", "#14161e"  # the window's frame, and what most of the screen is filled with


@dataclass
class Movie:
    """Frames in their order, each with the seconds that it is seen."""

    size: tuple[int, int]  # of the screen, in characters
    frames: list[frozenset[str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    still: int = 0  # the frame that is shown where nothing moves

    def add(self, picture: str, seconds: float) -> None:
        """Put a picture of Textual's ``export_screenshot`` at the end; one like the last only makes that longer."""
        frame = frozenset(_pieces(picture))
        if self.frames and frame == self.frames[-1]:
            self.seconds[-1] += seconds
            return
        self.frames.append(frame)
        self.seconds.append(seconds)

    def choose_still(self) -> None:
        """The frame added last is the one to show where nothing moves."""
        self.still = len(self.frames) - 1

    def svg(self) -> str:
        """The animated picture."""
        shown: dict[str, list[int]] = defaultdict(list)
        for number, frame in enumerate(self.frames):
            for piece in frame:
                shown[piece].append(number)
        groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for piece, numbers in shown.items():
            groups[tuple(numbers)].append(piece)
        ordered = sorted(groups)
        duration = sum(self.seconds)
        at = sum(self.seconds[: self.still]) + self.seconds[self.still] / 2
        fills = sorted({piece.split('"')[1] for piece in shown if piece.startswith("<text")})
        names = {fill: f"c{number}" for number, fill in enumerate(fills)}
        styles = [
            f"text{{font:20px {_FONTS};white-space:pre}}rect{{shape-rendering:crispEdges}}",
            f".k{{animation:{duration:.2f}s step-end infinite}}",
            *(f".{name}{{{fill}}}" for fill, name in names.items()),
        ]
        rects, texts = [], []
        for number, numbers in enumerate(ordered):
            opening = "<g>"
            if len(numbers) < len(self.frames):
                styles.append(self._shown(f"k{number}", set(numbers), duration))
                opening = f'<g class="k k{number}">'
            for start, into in (("<rect", rects), ("<text", texts)):
                pieces = sorted(piece for piece in groups[numbers] if piece.startswith(start))
                if start == "<text":
                    pieces = [
                        f'<text class="{names[(parts := piece.split(chr(34), 2))[1]]}"{parts[2]}' for piece in pieces
                    ]
                if pieces:
                    into.append(opening + "".join(pieces) + "</g>")
        styles.append(
            f"@media(prefers-reduced-motion:reduce){{.k{{animation-play-state:paused;animation-delay:-{at:.2f}s}}}}"
        )
        width, height = self.size[0] * _CELL + 18, self.size[1] * _LINE + 50
        lights = "".join(
            f'<circle cx="{x}" cy="22" r="7" fill="{fill}"/>'
            for x, fill in ((26, "#ff5f57"), (48, "#febc2e"), (70, "#28c840"))
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">\n'
            f"<style>\n{chr(10).join(styles)}\n</style>\n"
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="{_CHROME}"/>{lights}\n'
            f'<g transform="translate(9,41)">\n'
            f'<rect width="{self.size[0] * _CELL:.1f}" height="{self.size[1] * _LINE:.1f}" fill="{_BACK}"/>\n'
            + "\n".join([*rects, *texts])
            + "\n</g>\n</svg>\n"
        )

    def _shown(self, name: str, numbers: set[int], duration: float) -> str:
        """The style of what is seen in these frames only."""
        base = "visible" if self.still in numbers else "hidden"
        begun, before, turns = 0.0, None, []
        for number, seconds in enumerate(self.seconds):
            if (now := number in numbers) is not before:
                turns.append(f"{100 * begun / duration:.3f}%{{visibility:{'visible' if now else 'hidden'}}}")
            begun, before = begun + seconds, now
        return f".{name}{{visibility:{base};animation-name:{name}}}@keyframes {name}{{{''.join(turns)}}}"


def _pieces(picture: str) -> Iterator[str]:
    """The rectangles and texts of a picture, as short as they can be said: neighbours of one colour are one rectangle."""
    root = ElementTree.fromstring(picture)
    space = "{http://www.w3.org/2000/svg}"
    fills = {}
    for line in (root.findtext(f"{space}style") or "").splitlines():
        name, opened, rule = line.strip().partition(" {")
        if opened and name.startswith(".terminal-"):
            fills[name[1:]] = rule.rstrip(" }").strip().replace(": ", ":")
    screen = next(group for group in root.findall(f"{space}g") if group.get("clip-path"))
    last: tuple[str, float, float, float] | None = None  # fill, y, from x, to x
    for rect in screen.findall(f"{space}rect"):
        fill, x, y = rect.attrib["fill"], float(rect.attrib["x"]), float(rect.attrib["y"])
        end = x + float(rect.attrib["width"])
        if last and last[:2] == (fill, y) and abs(last[3] - x) < 0.1:
            last = (fill, y, last[2], end)
            continue
        if last:
            yield from _rectangle(*last)
        last = (fill, y, x, end)
    if last:
        yield from _rectangle(*last)
    for text in screen.iterfind(f"{space}g/{space}text"):
        said, x, wide = text.text or "", float(text.attrib["x"]), float(text.attrib["textLength"])
        bare = said.strip()  # a space that does not break is white, too
        if not bare:
            continue
        if abs(wide - len(said) * _CELL) < 0.1:  # no character takes two cells
            x += _CELL * (len(said) - len(said.lstrip()))
            wide, said = len(bare) * _CELL, bare
        fill = fills[text.attrib["class"]]
        y = float(text.attrib["y"])
        yield f'<text class="{fill}" x="{x:g}" y="{y:g}" textLength="{wide:g}">{escape(said)}</text>'


def _rectangle(fill: str, y: float, x: float, end: float) -> Iterator[str]:
    if fill != _BACK:
        yield f'<rect x="{x:g}" y="{y:g}" width="{end - x:g}" height="24.65" fill="{fill}"/>'
