"""What a command is doing while it has nothing to print yet."""

import sys
import threading
import time

from kerasgan.text import duration

EVERY = 5.0  # Seconds after which a stage that goes on is said again.


class _Stage:
    """The stage that a command is in, and a thread that says it again while it goes on."""

    def __init__(self):
        self._lock = threading.RLock()
        self._thread = None
        self.text = None

    def begin(self, text, always):
        with self._lock:
            if self.text is None:
                self._said = time.monotonic()
            if text != self.text:
                self.text, self._began = text, time.monotonic()
            if sys.stderr.isatty() or always:
                self._print(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._again, daemon=True)
                self._thread.start()

    def end(self):
        with self._lock:
            self.text = None
            if sys.stderr.isatty():
                print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _again(self):
        while True:
            time.sleep(min(EVERY, 1.0) / 4)
            with self._lock:
                now = time.monotonic()
                if self.text is None or now - self._said < EVERY:
                    continue
                passed = now - self._began
                self._print(self.text + (f", {duration(passed)}" if passed >= EVERY else ""))

    def _print(self, text):
        self._said = time.monotonic()
        line = f"\r\033[K{text} ..." if sys.stderr.isatty() else f"{text} ...\n"
        try:
            print(line, end="", file=sys.stderr, flush=True)
        except (OSError, ValueError):  # Its reader has closed it.
            self.text = None


_STAGE = _Stage()


def say(text, always=False):
    """Show on stderr what is being done, and again every five seconds for as long as it is.

    On a terminal it is a line that the next one replaces.

    Args:
        text: What is being done.
        always: Whether it is said at once where stderr is no terminal, as in a log.
    """
    _STAGE.begin(text, always)


def clear():
    """End what `say` began, and remove its line from a terminal."""
    _STAGE.end()


def progress(what, done, total, of=""):
    """Say how far something is, as what decodes images or measures them tells it.

    Args:
        what: What is being done; "done" ends the stage.
        done: How much of it is.
        total: How much there is.
        of: What stands before it.
    """
    if what == "done":
        clear()
    else:
        say(f"{of}{what} {done:,}/{total:,}")
