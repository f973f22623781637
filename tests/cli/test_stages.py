"""What the command line says while it has nothing to print: at once, and not too much."""

import io
import sys

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
