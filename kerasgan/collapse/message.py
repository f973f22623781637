"""Tell somebody of a collapse: by a command of the shell, or by a callable."""

import os
import signal
import subprocess

LIMIT = 60  # Seconds that a command may take.


def check(on_collapse):
    """Raise ValueError unless messages can be sent by this."""
    if not (on_collapse is None or callable(on_collapse) or isinstance(on_collapse, str)):
        raise ValueError(
            "`on_collapse` must be a command of the shell, a callable that takes a `Decision`, or "
            f"None. Received: {on_collapse!r}"
        )


def send(on_collapse, decision, folder, limit=LIMIT):
    """Tell of a decision.

    A command finds in its environment KERASGAN_ACTION, KERASGAN_SENTENCE, KERASGAN_EPOCH,
    KERASGAN_STEP and KERASGAN_FOLDER, which is empty if nothing is written to disk. It has no
    input, and what it prints goes where the program's own messages go.

    Args:
        on_collapse: A command, as text for the shell, or a callable that takes the decision.
        decision: A `kerasgan.collapse.Decision`.
        folder: The run folder, or None.
        limit: Seconds after which a command is ended.

    Returns:
        What went wrong, as text, or None.
    """
    if callable(on_collapse):
        on_collapse(decision)
        return None
    facts = {
        "ACTION": decision.action,
        "SENTENCE": str(decision),
        "EPOCH": decision.epoch,
        "STEP": decision.step,
        "FOLDER": "" if folder is None else os.path.abspath(folder),
    }
    environment = {**os.environ, **{f"KERASGAN_{name}": str(v) for name, v in facts.items()}}
    # A group of its own, so that what the command has started ends with it.
    process = subprocess.Popen(
        on_collapse,
        shell=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"it had not ended after {limit} seconds"
    except BaseException:  # As Ctrl-C, which does not reach another group.
        _end(process)
        raise
    return f"it ended with exit code {code}" if code else None


def _end(process):
    """End a process and those that it has started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
