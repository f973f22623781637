"""The package where TensorFlow is not installed, on JAX and on PyTorch."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="without TensorFlow"),
]
CODE = """
import sys

from importlib.machinery import PathFinder

usual = PathFinder.find_spec

def find_spec(name, *args):
    hidden = name.partition(".")[0] in ("tensorflow", "tensorflow_datasets")
    return None if hidden else usual(name, *args)

PathFinder.find_spec = find_spec
from kerasgan_cli import main

for words in open("commands.txt").read().splitlines():
    try:
        main(words.split())
    except SystemExit as end:
        assert end.code == 0, (words, end.code)
assert "tensorflow" not in sys.modules
print("all of them ended well")
"""
COMMANDS = """\
env
train gan --network mlp --width 4 --latent-dim 4 --epochs 2 --data pixels.npy --run-dir runs
train --resume runs/0001-gan-pixels --epochs 3
sample runs/0001-gan-pixels -n 2 --out a.png
sample wgan_gp_fashion_mnist -n 2 --out b.png
evaluate runs/0001-gan-pixels --data pixels.npy --samples 100 --metrics coverage
report runs/0001-gan-pixels
zoo list
"""


def test_commands_work(backend_name, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (200, 12, 12), dtype="uint8")
    np.save(tmp_path / "pixels.npy", pixels)
    (tmp_path / "commands.txt").write_text(COMMANDS)
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend_name},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and "all of them ended well" in done.stdout, done.stderr[-3000:]
    assert "device" in done.stdout
