"""Every block of code in the README and the documentation runs, on small data and for one epoch."""

import functools
import inspect
import json
import re
import shlex
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import written_networks
from PIL import Image

import kerasgan
import kerasgan.bench.modes.tasks
import kerasgan.scorecard  # Both take `load` when they are imported, and must not take `some`.
from kerasgan import data, networks
from kerasgan.sizes import sides
from kerasgan_cli import main
from kerasgan_cli.main import cli
from kerasgan_cli.train import train

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "tables" not in path.parts
]
FENCE = re.compile(
    r"(?:<!-- backend: (?P<backend>\w+) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
SHAPES = {"mnist": (28, 1, 10), "fashion_mnist": (28, 1, 10), "avatars": (64, 3, 1)}
# What makes a command of the shell small; the last of two equal options counts.
SMALL = {
    "train": "--epochs 1 --limit 128 --width 4 --batch-size 32 --animation none --guard warn",
    "evaluate": "--samples 130 --extractor random_projection",
    "walk": "--frames 2",
    "project": "--steps 2 --distance pixels",
    "compare": "--samples 130 --extractor random_projection",
    "zoo train": "--epochs 1 --limit 128 --width 4",
}
SMALL_STYLE = {"channel_base": 64, "channel_max": 4, "latent_dim": 8}
RUN = (
    "train",
    "sample",
    "walk",
    "mix",
    "directions",
    "project",
    "convert",
    "evaluate",
    "report",
    "compare",
    "zoo",
)  # The benchmarks have tests of their own.
# What sets a machine up, or reads files that the suite does not have.
ELSEWHERE = ("pip", "python3", ".", "export", "#", ".ci/run")


def blocks(path):
    """Return the blocks of a page, `(backend, language, code)`."""
    found = []
    for match in FENCE.finditer(path.read_text(encoding="utf-8")):
        indent = match["indent"]
        code = re.sub(rf"^{indent}", "", match["code"], flags=re.MULTILINE)
        found.append((match["backend"], match["language"], code))
    return found


def name_of(path):
    return str(path.relative_to(ROOT))


def some(name_or_path, image_size=None, batch_size=64, channels=None, split="train", **ignored):
    """Return a data set as `load` does: noise in place of a download, a folder as it is."""
    if name_or_path not in SHAPES:
        image_size = image_size or 28
        return _load(name_or_path, image_size, batch_size, channels, upscale=True, max_bad=0)
    side, depth, classes = SHAPES[name_or_path]
    height, width = sides(image_size or side)
    rng = np.random.default_rng(len(split))
    images = rng.integers(0, 256, (270, height, width, int(channels or depth)), "uint8")
    labels = np.arange(270) % classes if classes > 1 else None
    return data.ImageDataset(images, labels, batch_size=batch_size, name=name_or_path)


_load = data.load


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with what the pages name, where nothing is large and nothing is downloaded."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(270):
        pixels = rng.integers(0, 256, (64, 64, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    shutil.copytree(tmp_path / "photos", tmp_path / "elsewhere" / "photos")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load", some)
    for name in ("dcgan", "mlp", "resnet"):
        builder = getattr(networks, name)
        slim = functools.partial(builder, width=4)
        slim.__signature__ = inspect.signature(builder)
        monkeypatch.setattr(networks, name, slim)
        monkeypatch.setitem(networks.ARCHITECTURES, name, slim)
    fast = networks.fastgan
    monkeypatch.setattr(
        "kerasgan.gans.fastgan.fastgan", lambda **size: fast(**{**size, "width": 2})
    )
    style = networks.stylegan2
    monkeypatch.setattr(networks, "stylegan2", lambda **size: style(**{**size, **SMALL_STYLE}))
    fit = kerasgan.AdversarialModel.fit

    def short(self, *arguments, **options):
        return fit(self, *arguments, **{**options, "epochs": 1, "verbose": 0})

    monkeypatch.setattr(kerasgan.AdversarialModel, "fit", short)
    yield tmp_path
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(None)


def _run(path, wanted):
    names = {}
    for code in python_of(path, wanted):
        exec(compile(code, f"{path.name}: {code[:40]!r}", "exec"), names)


def holding(wanted, fast=()):
    """Parametrise a test over the pages that hold something; all are slow but the `fast` ones."""
    pages = [
        pytest.param(path, id=name_of(path), marks=() if path in fast else pytest.mark.slow)
        for path in PAGES
        if wanted(path)
    ]
    return pytest.mark.parametrize("path", pages)


def python_of(path, backend=None):
    return [code for of, language, code in blocks(path) if language == "python" and of == backend]


@pytest.mark.numpy
@holding(python_of, fast=[ROOT / "README.md"])
def test_python_blocks_run(path, here):
    _run(path, None)


@holding(lambda path: any(backend for backend, _, _ in blocks(path)))
def test_blocks_of_one_backend_run(path, here, backend_name):
    if not python_of(path, backend_name):
        pytest.skip(f"the page has nothing for {backend_name} alone")
    _run(path, backend_name)


def commands(path):
    """Yield the words of each command in a page's blocks without a language."""
    for _, language, code in blocks(path):
        if language:
            continue
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] not in ELSEWHERE:
                yield words


def _small(words):
    for name, options in SMALL.items():
        if words[: len(name.split())] == name.split() and "--resume" not in words:
            more = options.replace("--width 4", "") if "--from" in words else options
            if "stylegan2" in words:
                more = more.replace("--width 4", "--channel-base 64 --latent-dim 8")
            return [*_without("--time", words), *more.split()]
    return words


def _without(option, words):
    at = words.index(option) if option in words else len(words)
    return [*words[:at], *words[at + 2 :]]


def _understood(words):
    """Fail if a command names what there is not; it is not run."""
    program, *rest = words
    if program == "make":
        rules = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", rules, re.MULTILINE) for target in rest), words
    elif program == "python":
        assert (ROOT / rest[0]).exists(), words
    else:
        assert program == "kerasgan", words
        command = cli
        while hasattr(command, "commands"):
            assert rest[0] in command.commands, words
            command, rest = command.commands[rest[0]], rest[1:]
        known = command.params + (train.params if command.name == "train" else [])
        options = {o for p in known for o in (*p.opts, *p.secondary_opts)}
        given = {word.split("=")[0] for word in rest if re.match("-+[a-z]", word)}
        assert given <= options, (words, given - options)


@pytest.mark.numpy
@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_are_understood(path):
    for words in commands(path):
        _understood(words)


def commands_to_run(path):
    return [w[1:] for w in commands(path) if w[0] == "kerasgan" and w[1] in RUN]


@pytest.mark.numpy
@holding(commands_to_run)
def test_commands_run(path, here, backend_name, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    if any(words[0] == "convert" for words in commands_to_run(path)):
        written_networks.write(
            here / "network.pkl",
            G_ema=written_networks.generator(
                networks.StyleGAN2Generator(32, channel_base=64, channel_max=4, latent_dim=8)
            ),
        )
    for words in commands_to_run(path):
        with pytest.raises(SystemExit) as stop:
            main(_small(words))
        shown = capsys.readouterr()
        assert stop.value.code == 0, (words, shown.out[-500:], shown.err)


@pytest.mark.slow
@pytest.mark.numpy
@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.ipynb")), ids=name_of)
def test_notebooks_run_from_top_to_bottom(path, tmp_path, monkeypatch):
    pytest.importorskip("resvg_py")  # They draw avatars.
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), path.stem, "exec"), names)
    if path.stem == "collapse_and_rescue":
        assert names["blind"].verdict.state == "collapsed"
        assert names["guard"].verdict.state == "healthy"
        assert names["guard"].journal.decisions[0].action == "rescue"
