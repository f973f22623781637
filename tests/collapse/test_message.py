"""Who is told of a collapse, and that a training survives the telling."""

import http.server
import json
import shlex
import sys
import threading
import time

import pytest
from guarded_training import Sabotage, fit, guarded, healthy

from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import Decision, message

DECISION = Decision(3, 90, "rescue", "diversity 0.10", ("half the learning rates",), 60)


def python(code):
    """Return a command of the shell that runs Python code."""
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_a_callable_is_told_of_each_decision():
    told = []
    gan, real = healthy()
    guard = guarded(on_collapse=told.append)
    fit(gan, real, guard, others=[Sabotage([4])])
    assert told == guard.journal.decisions and [d.action for d in told] == ["rescue"]


def test_a_command_calls_a_web_hook(tmp_path):
    received = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = (
        "import json, os, urllib.request as r\n"
        "facts = {k: v for k, v in os.environ.items() if k.startswith('KERASGAN_')}\n"
        f"r.urlopen('http://127.0.0.1:{server.server_port}', json.dumps(facts).encode())"
    )
    gan, real = healthy()
    try:
        fit(gan, real, guarded("warn", folder=tmp_path, on_collapse=python(code)),
            others=[Sabotage([4])])  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    (facts,) = received  # Once for each collapse.
    assert facts["KERASGAN_ACTION"] == "warn" and facts["KERASGAN_EPOCH"] in ("5", "6")
    assert facts["KERASGAN_SENTENCE"].startswith("warn: diversity 0.")
    assert facts["KERASGAN_FOLDER"] == str(tmp_path)
    assert int(facts["KERASGAN_STEP"]) >= 50


@pytest.mark.parametrize(
    ("on_collapse", "words"),
    [
        ("exit 7", "it ended with exit code 7"),
        (lambda decision: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failure_is_said_and_the_training_goes_on(on_collapse, words):
    gan, real = healthy()
    guard = guarded("warn", on_collapse=on_collapse)
    fit(gan, real, guard, others=[Sabotage([4])])
    assert f"on_collapse failed: {words}. The training goes on" in guard.stream.getvalue()
    assert gan.critic_steps == 80


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path):
    late = tmp_path / "late"
    code = f"import time; time.sleep(3); open({str(late)!r}, 'w')"
    began = time.monotonic()
    fault = message.send(f"{python(code)} & {python(code)}", DECISION, None, limit=0.5)
    assert fault == "it had not ended after 0.5 seconds"
    assert time.monotonic() - began < 2.5
    time.sleep(3.5)
    assert not late.exists()


def test_a_command_reads_no_input_and_knows_no_folder_where_there_is_none():
    code = "import os, sys; sys.exit(len(sys.stdin.read()) or os.environ['KERASGAN_FOLDER'] != '')"
    assert message.send(python(code), DECISION, None) is None


def test_what_cannot_be_told_is_refused():
    with pytest.raises(ValueError, match=r"`on_collapse` must be a command.*Received: 5"):
        CollapseGuard(on_collapse=5)
