"""Make a preset of the zoo from a run: weights, golden samples, picture, and model card.

    python benchmarks/publish_preset.py RUN NAME --title "WGAN-GP on Fashion-MNIST" \\
        --attribution "Zalando Research, MIT licence" --limits "..." --minutes 95

The scores on the card are measured here (see `preset_scores.py`), the rest is read from the run;
the wall time alone is given, since a run does not keep it.
"""

import argparse
import csv
import shlex
from pathlib import Path

import keras
import numpy as np
from preset_scores import score

import kerasgan
from kerasgan import pictures
from kerasgan.bench.environment import describe
from kerasgan.files import atomic
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import load_file

ZOO = Path(__file__).resolve().parent.parent / "zoo"
UNSAID = {"model", "data", "backend", "images", "epochs"}
DEFAULTS = {
    "network": "dcgan", "latent_dim": 128, "batch_size": 64, "seed": 0, "split": "train",
    "precision": "float32", "deterministic": True, "max_bad": 0.1, "grid_every": 1,
    "animation": "webp", "upscale": False,
}  # fmt: skip

CARD = """---
library_name: kerasgan
pipeline_tag: unconditional-image-generation
license: apache-2.0
datasets:
- {data}
tags:
- keras
- gan
- {model}
---

# {title}

![One hundred samples](samples.png)

*The first hundred images of seed 7, not chosen:
`kerasgan sample {name} -n 100 --seed 7 --out samples.png`.*

```python
gan = kerasgan.from_preset("{name}")
images = gan.sample(16, seed=1)
```

## What it is

{title}: `{model}` with the `{network}` networks, {generator:,} parameters in the generator and
{critic:,} in the critic, trained on the {images:,} training images of `{data}`. The files hold the
generator, its moving average (which `sample` uses) and the critic, so that training can go on.

## How it was made

```
{command}
```

{epochs} epochs: {critic_steps:,} critic steps and {generator_steps:,} generator steps, about
{minutes} minutes on {cores} cores ({machine}) that were not idle otherwise, backend {backend}.
Versions: {versions}.
The moving average decays with {ema} a generator step. {remark}

## How it scores

{protocol}, between
{samples:,} images and the {samples:,} test images (seed {seed}); lower is better. Comparable
with nothing but the rows of this table.

| Images | Distance |
|---|---|
{rows}

Losses on the test images: {losses}. The table comes from

```
python benchmarks/preset_scores.py {name} --data {data}
```

How the score went while it trained:

| Epoch | Distance |
|---|---|
{history}

## Limits

{limits}

## Licence

The weights are under Apache-2.0. The training images: {attribution}.
"""


def command_of(options, epochs):
    """Return the command line that makes the run again."""
    words = ["kerasgan", "train", options["model"], "--data", options["data"]]
    for key, value in options.items():
        if key in UNSAID or value is None or DEFAULTS.get(key) == value:
            continue
        words += [f"--{key.replace('_', '-')}", str(value)]
    words += ["--epochs", str(epochs), "--backend", options["backend"]]
    return shlex.join(words)


def losses(result):
    """Return the losses in words."""
    pairs = result["losses on the test images"].items()
    return ", ".join(f"{name} {value:.3f}" for name, value in pairs)


def table(result):
    """Return the rows of the score's table."""
    keys = ["generated", *[key for key in result if key.startswith(("real", "test images"))]]
    return "\n".join(f"| {key} | {result[key]:.3f} |" for key in keys)


def publish(arguments):
    """Write the preset's folder."""
    run = Run(arguments.run)
    options = run.options()
    model = load_file(run.model_file())
    folder = ZOO / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    environment = describe(keras.backend.backend())
    with open(run.metrics, encoding="utf-8") as file:
        epochs = len(list(csv.DictReader(file)))
    keras.utils.set_random_seed(0)
    result = score(model, options["data"], 10000, 0)
    history = []
    for earlier in sorted(map(load_file, arguments.history), key=lambda m: m.critic_steps):
        epoch = earlier.critic_steps * options["batch_size"] // options["images"] + 1
        past = score(earlier, options["data"], 10000, 0)
        history.append(f"| {epoch} | {past['generated']:.3f} |")
    history.append(f"| {epochs} | {result['generated']:.3f} |")
    command = command_of(options, epochs)
    model.save_to_preset(
        folder,
        {
            "title": arguments.title,
            "data": f"{options['data']}, {'x'.join(map(str, model.image_shape))}",
            "license": "apache-2.0",
            "attribution": arguments.attribution,
            "command": command,
            "critic_steps": model.critic_steps,
            "generator_steps": model.generator_steps,
            "environment": environment,
            "scores": result,
        },
    )
    with atomic(folder / "golden.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, images=model.sample(16, seed=1), seed=1)
    pictures.save_grid(folder / "samples.png", model.sample(100, seed=7), scale=2)
    card = CARD.format(
        name=arguments.name, title=arguments.title, history="\n".join(history),
        attribution=arguments.attribution, remark=arguments.remark, limits=arguments.limits,
        minutes=arguments.minutes,
        command=command, epochs=epochs, rows=table(result), losses=losses(result),
        generator=model.generator.count_params(), critic=model.critic.count_params(),
        critic_steps=model.critic_steps, generator_steps=model.generator_steps, ema=model.ema,
        versions=", ".join(f"{k} {v}" for k, v in environment["versions"].items()),
        **{key: environment[key] for key in ("cores", "machine")},
        **{key: options[key] for key in ("data", "model", "images", "backend")},
        network=options["network"] or "dcgan",
        **{key: result[key] for key in ("protocol", "samples", "seed")},
    )  # fmt: skip
    with atomic(folder / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8")
    print(f"kerasgan {kerasgan.__version__}: wrote {folder}")


def main():
    """Read the arguments and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--title", required=True)
    parser.add_argument("--attribution", required=True, help="of the training images")
    parser.add_argument("--limits", required=True, help="what the model does badly")
    parser.add_argument("--remark", default="", help="more about how it was made")
    parser.add_argument("--minutes", type=int, required=True, help="wall time of the training")
    parser.add_argument("--history", type=Path, nargs="*", default=[], help="earlier .keras files")
    publish(parser.parse_args())


if __name__ == "__main__":
    main()
