"""What the tests of the command line train on: small data, small networks."""

import json

import numpy as np
from PIL import Image

SMALL = ["--latent-dim", "4", "--width", "4", "--network", "mlp", "--epochs", "1"]


def write_images(path):
    images = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.savez(path, images=images)
    return path


def with_rate(command, folder, rate, *options):
    """Write a recipe whose generator has a learning rate that the shell would refuse."""
    code, out, err = command("train", *options, "--dry-run")
    assert code == 0, err
    recipe = json.loads(out)
    constant = {"boundaries": [1], "values": [rate, rate]}
    recipe["optimizers"].setdefault("generator", {})["learning_rate"] = constant
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder / "recipe.json"


def folder_of(tmp_path, count, size=32):
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype="uint8")
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i}.png")
    return folder
