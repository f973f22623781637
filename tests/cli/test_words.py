"""The words of the shell: errors name its options as they are written there."""

import ast
import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from small_runs import folder_of

import kerasgan
from kerasgan_cli.main import cli
from kerasgan_cli.options import with_flags

PACKAGE = Path(kerasgan.__file__).parent
COMMANDS = ("train", "sample", "evaluate", "watch")


def said(node):
    """Return the text of an expression; 7 stands for what is known only when it runs."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "7"
    if isinstance(node, ast.JoinedStr):
        return "".join(map(said, node.values))
    if isinstance(node, ast.BinOp):
        return said(node.left) + said(node.right)
    return "7"


def messages():
    """Yield where each error and each warning of the library is, and its text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            call = node.exc if isinstance(node, ast.Raise) else node
            warns = isinstance(call, ast.Call) and ast.unparse(call.func) == "warnings.warn"
            if isinstance(call, ast.Call) and call.args and (warns or call is not node):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", said(call.args[0])


def leaks(text, names):
    """Return the names of options that a text has in the spelling of Python.

    A call and a shape are for those who write Python: the shell has no networks of one's own.
    """
    text = re.sub(r"[\w.]+\([^()]*\)|\(batch_size,[^()]*\)", "", text)
    return [
        name
        for name in names
        if re.search(rf"`{name}\b|(?<![-\w./]){name}=", text)
        or ("_" in name and re.search(rf"(?<![-\w.]){name}\b", text))
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_error_names_an_option_as_python_does(name):
    command = cli.commands[name]
    names = [one.name for one in command.params if isinstance(one, click.Option)]
    found = dict(messages())
    assert len(found) > 200
    assert sum(bool(leaks(text, names)) for text in found.values()) > 5  # Before.
    left = {place: leaks(with_flags(text, command), names) for place, text in found.items()}
    assert {place: names for place, names in left.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unless upscale=True.", "unless --upscale."),
        ("Received: upscale=False", "Received: --no-upscale"),
        ("`image_size`. Received: image_size=None", "--image-size. Received: no --image-size"),
        ("categorical=[10, 2], loss='hinge'", "--categorical 10,2, --loss hinge"),
        ("learning_rate=1e-3, seed=-1.", "--learning-rate 1e-3, --seed -1."),
        ("at most max_bad=10% of", "at most --max-bad 10% of"),
        ("`name_or_path='avatars'` needs", "--data avatars needs"),
        ("`architecture` of gan", "--network of gan"),
        ("`x` and packings=3, /a/seed=3/b, --seed=3, 'seed=3'",) * 2,
    ],
)  # fmt: skip
def test_options_as_the_shell_has_them(text, words):
    command = cli.commands["train"]
    assert with_flags(text, command) == words
    assert with_flags(words, command) == words
    with click.Context(command):
        assert with_flags(text) == words
    assert with_flags(text) == text  # Where no command runs.


def test_only_the_options_of_the_command_itself():
    assert with_flags("`image_size` and `samples`", cli.commands["evaluate"]) == (
        "`image_size` and --samples"
    )
    assert with_flags("`name_or_path`", cli.commands["watch"]) == "--real"


def test_the_library_is_told_in_the_words_of_the_shell(command, tmp_path, monkeypatch):
    """Whatever command an error comes out of, and those of a preset's training too."""
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    small = folder_of(tmp_path, 70)
    given = ["--data", small, "--image-size", 64, "--run-dir", tmp_path / "r", "--width", 4]
    for words in (["train", "gan", *given], ["zoo", "train", "r3gan_avatars", *given]):
        code, _, err = command(*words)
        assert code == 1, err
        assert "--data must hold an image that can be used" in err
        assert "give a smaller --image-size or set --upscale" in err
        assert "smaller than --image-size 64" in err


def test_errors_of_a_file_keep_its_words(command, run_folder):
    file = run_folder / "options.json"
    options = json.loads(file.read_text())
    options["run"]["grid_every"] = 0
    file.write_text(json.dumps(options))
    code, _, err = command("train", "--resume", run_folder, "--epochs", 2)
    assert code == 1 and "is damaged: `grid_every` must be" in err


def test_help_begins_with_what_most_need():
    lines = CliRunner().invoke(cli, ["train", "--help"]).output.splitlines()
    start = lines.index("Options that most need:")
    assert next(line for line in lines if line.endswith(":")) == lines[start]
    first = lines[start + 1 : lines.index("", start)]
    flags = [line.split()[0] for line in first if re.match(r"  -", line)]
    assert len(flags) == 8 and flags[0] == "--data" and {"--time", "--resume"} < set(flags)
    headings = [line for line in lines[start + 1 :] if re.fullmatch(r"\S.*:", line)]
    assert len(headings) > 5 and headings[-1] == "Other:"
    assert all(heading.startswith("More on ") for heading in headings[:-1])
