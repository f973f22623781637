"""What the command line says while it has nothing to print: at once, and not too much."""

import io
import sys
import time

import pytest
from small_runs import SMALL

from kerasgan_cli import stages


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_training_says_what_takes_long(command, data, tmp_path):
    code, out, err = command("train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL)
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("loading Keras on ")
    assert [line for line in lines[1:] if not line.startswith("note: ")] == [
        "reading the images ...", "preparing the guard and compiling the first step ..."
    ]  # fmt: skip
    assert "..." not in out


def test_what_takes_long_is_one_line_on_a_terminal(command, data, tmp_path, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    command("train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL)
    text = terminal.getvalue()
    assert "loading Keras" in text and "compiling the first step" in text
    assert text.count("\n") == text.count("note: ") and text.endswith("\r\033[K")


def test_the_line_is_taken_away_before_an_error(command, tmp_path, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    (tmp_path / "empty").mkdir()
    command("train", "gan", "--data", tmp_path / "empty", *SMALL)
    assert "\r\033[KError: " in terminal.getvalue()


@pytest.mark.parametrize("always", [False, True])
def test_a_log_has_only_what_it_is_given(capsys, always):
    stages.say("reading", always)
    stages.clear()
    assert capsys.readouterr().err == ("reading ...\n" if always else "")


def test_a_stage_that_goes_on_is_said_again_until_it_ends(capsys, monkeypatch):
    monkeypatch.setattr(stages, "EVERY", 0.2)
    stages.say("measuring, 1/40")
    stages.say("measuring, 2/40")
    err = _waited_for("measuring, 2/40, 0.", capsys)
    assert "1/40" not in err and err.endswith(" s ...\n")
    stages.clear()
    time.sleep(0.5)
    assert capsys.readouterr().err == ""
    stages.say("compiling")
    assert "compiling" in _waited_for("compiling", capsys)
    stages.clear()


def test_what_changes_often_is_said_seldom(capsys, monkeypatch):
    monkeypatch.setattr(stages, "EVERY", 0.4)
    began = time.monotonic()
    for i in range(100):
        stages.say(f"image {i}")
        time.sleep(0.01)
    stages.clear()
    passed = time.monotonic() - began
    assert 1 <= capsys.readouterr().err.count("\n") <= passed / 0.4


def _waited_for(text, capsys):
    err = ""
    for _ in range(100):
        err += capsys.readouterr().err
        if text in err:
            return err
        time.sleep(0.1)
    raise AssertionError(f"{text!r} was not said: {err!r}")
