"""What a person sees while it runs: a live bar on a terminal, now and then a line elsewhere."""

import os
import shutil
import time
from collections import deque
from typing import TextIO

LINE_EVERY_S = 2.0
RATE_OVER_S = 2.0
LABEL_WIDTH = 11


class Paint:
    """Colours for one stream: none unless it is a terminal, and none with ``NO_COLOR``."""

    def __init__(self, stream: TextIO) -> None:
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.has_colour = self.is_terminal and not os.environ.get("NO_COLOR")

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.has_colour and text.strip() else text

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def green(self, text: str) -> str:
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        return self._wrap("33", text)

    def red(self, text: str) -> str:
        return self._wrap("1;31", text)


class Screen:
    """Talks on one stream, usually standard error, and redraws the last line on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.paint = Paint(stream)
        self._stream = stream
        self._drawn = False
        self._next_line = 0.0
        self._samples: deque[tuple[float, int]] = deque()

    def say(self, label: str, text: str) -> None:
        """Print one line that stays."""
        self.clear()
        print(self.paint.bold(f"{label:<{LABEL_WIDTH}}") + text, file=self._stream, flush=True)

    def begin(self) -> None:
        """Start the rate anew, for the next piece of work."""
        self._samples.clear()
        self._next_line = time.monotonic() + LINE_EVERY_S

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Show how far the work is: redrawn on a terminal, a line every two seconds elsewhere."""
        now = time.monotonic()
        self._samples.append((now, done))
        while now - self._samples[0][0] > RATE_OVER_S:
            self._samples.popleft()
        if not self.paint.is_terminal:
            if now >= self._next_line:
                self._next_line = now + LINE_EVERY_S
                self.say("", self._numbers(done, total, note))
            return
        text = self._numbers(done, total, note)
        room = shutil.get_terminal_size().columns - LABEL_WIDTH - len(text) - 3
        self._stream.write(f"\r\x1b[K{'':<{LABEL_WIDTH}}{self._bar(done, total, room)} {text}")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _numbers(self, done: int, total: int, note: str) -> str:
        (then, before), (now, _) = self._samples[0], self._samples[-1]
        rate = (done - before) / (now - then) if now > then else 0.0
        share = 100 * done // total if total else 100
        return f"{share:3} %  {done:,}/{total:,}  {rate:,.0f}/s  {note}".rstrip()

    def _bar(self, done: int, total: int, room: int) -> str:
        width = max(0, min(30, room))
        filled = width * done // total if total else width
        if self.paint.has_colour:
            return self.paint.green("━" * filled) + self.paint.dim("━" * (width - filled))
        return "[" + "#" * filled + "-" * (width - filled) + "]" if width else ""
