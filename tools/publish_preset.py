"""Make a preset of the zoo from a run: weights, golden samples, scores, pictures, and model card.

    python tools/publish_preset.py NAME RUN

`zoo/NAME/recipe.json` must exist. It contains the recipe of the run. Its entry `about` contains
texts of the card: `title`, `attribution` of the training images and `limits`. It may also contain
`remark`, and `samples`, the number of images of a score. If the recipe's data are a folder, it
contains `data`, what the images are called, and `obtain`, how a reader gets them; its path is one
from the folder where this is run. The scores are measured here (see `kerasgan.scorecard`) on the
weights as they are published. The time of the training is read from the run.
"""

import argparse
import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import kerasgan
from kerasgan import catalogue, pictures, presets, scorecard
from kerasgan.environment import describe
from kerasgan.metrics import Result, distances, extractors
from kerasgan.metrics.result import number
from kerasgan.recipe import Recipe
from kerasgan.text import duration
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import find_data, load_file

ZOO = Path(__file__).resolve().parent.parent / "zoo"
SAMPLES = 10_000  # The recipe may have fewer: thousands of large images take minutes.

CARD = """---
library_name: kerasgan
{pipeline}license: apache-2.0
{data}tags:
{tags}
---

# {title}

![One hundred samples, ten in each row](samples.png)

*The first hundred samples of seed 7, without selection. This command generates them:
`kerasgan sample {name} -n 100 --seed 7 --out samples.png`.*

```python
gan = kerasgan.from_preset("{name}")
images = gan.sample(16, seed=1)
```

## What it is

{what}

The files contain the generator, its moving average (which `sample` uses) and the critic, so that
training can continue. The weights are rounded to float16. All figures and pictures on this card are
of the rounded weights.

## How it was made

{obtain}This command repeats the training:

```
kerasgan zoo train {name}
```

`recipe.json` contains the options, and `training.csv` the losses of each epoch.
The training took {critic_steps:,} critic steps and
{generator_steps:,} generator steps in {wall} on {cores} ({machine}),
with the backend {backend} and the seed {seed}.
The versions were: {versions}.
{remark}

![Samples of the same latent vectors at six moments, from the first epoch to the last](epochs.png)

## How it scores

The scores compare {samples:,} samples (seed 0) with as many training images.
The features are those of {extractor}.
The column *real images* has the scores of as many other training images. The figure after ± is the
standard deviation over other seeds of the samples, or the standard error over test images. The
floor is the mean score of a perfect generator, where it is known.

| | score | real images | floor |
|---|---:|---:|---:|
{rows}
{noise}{shares}
This command measures all figures again:

```
kerasgan zoo verify {name} --metrics
```

## Limits

{limits}

![The twenty-four worst of a thousand samples](failures.png)

*Failures: the 24 of the first thousand samples of seed 7 that are farthest from
{compared:,} training images. The distance is measured in {features}.*

The model is for teaching, testing and fine-tuning. It is not a source of training data.

## Licence

The weights are licensed under Apache-2.0. Attribution of the training images: {attribution}.
"""

NOISE = """
The Fréchet distances of real images with Gaussian noise give a scale for the first row:

| sd of the noise, in [-1, 1] | {sds} |
|---|{dashes}
| distance | {distances} |
"""


def rows(card):
    """Return the lines of the table of scores."""
    lines = []
    for result in map(Result.from_dict, card["results"]):
        # A score of test images, and not of samples, has its own standard error.
        error = card["errors"].get(result.name) or result.error
        value = number(result.value) + (f" ± {number(error)}" if error else "")
        remark = f" ({result.remark})" if result.remark else ""
        cells = (result.name + remark, value, number(result.baseline), number(result.floor))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def noise(card):
    """Return the table of noisy real images, or nothing."""
    if not card["noise"]:
        return ""
    return NOISE.format(
        sds=" | ".join(card["noise"]),
        dashes="---:|" * len(card["noise"]),
        distances=" | ".join(number(value) for value in card["noise"].values()),
    )


def shares(card, class_names):
    """Return the share of each class as a sentence, or nothing."""
    details = [r["details"] for r in card["results"] if "shares" in r["details"]]
    if not details or len(details[0]["shares"]) > 20:
        return ""
    found = details[0]["shares"]
    names = dict(enumerate(class_names or ()))
    words = [f"{names.get(int(k), k)} {share:.1%}" for k, share in found.items()]
    return f"\nThe samples have these shares of the classes: {', '.join(words)}.\n"


def features(model, card):
    """Return in words the features in which failures lie far from real images."""
    own = extractors.default_extractor(model.image_shape).name
    same = own == card["results"][0]["provenance"]["extractor"]
    return "the features of the scores" if same else f"the features of {own}"


def failures(model, data, compared):
    """Return the 24 images of a thousand that are farthest from all real ones, worst first."""
    images = model.sample(1000, seed=7)
    extract = extractors.default_extractor(model.image_shape)
    taken = np.random.default_rng(0).permutation(data.num_examples)[:compared]
    real, generated = (extract(np.asarray(x)) for x in (data.images[np.sort(taken)], images))
    real, generated = distances.points(real, generated)
    nearest = np.concatenate([block.min(axis=1) for _, block in generated.to(real)])
    return images[np.argsort(-nearest)[:24]]


def over_time(samples, side):
    """Return a picture of the images of 25 latent vectors at six moments of a run, or None.

    Args:
        samples: The run's folder of grids, ten images a row.
        side: Of an image, in pixels.
    """
    frames = sorted(samples.glob("epoch_*.png"))
    if not frames:
        return None
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, 6).round().astype(int))]
    part = 5 * (side + 1)
    strip = Image.new("RGB", (len(chosen) * (part + 7) - 8, part - 1), "white")
    for i, frame in enumerate(chosen):
        with Image.open(frame) as picture:
            strip.paste(
                picture.convert("RGB").crop((0, 0, part - 1, part - 1)), (i * (part + 7), 0)
            )
    return strip


def recipe_of(run, recipe):
    """Return the recipe in a file with a run's backend, after a check that the run is of it.

    Args:
        run: A `Run`.
        recipe: Path of the recipe.

    Raises:
        SystemExit: If it is not. The backend may be another one, and a run has the whole path of a
            folder.
    """
    written = Recipe.read(recipe)
    found, asked = run.recipe().to_json(), written.to_json()
    asked["data"] = {**asked["data"], "name_or_path": find_data(written.data["name_or_path"])}
    differ = [key for key in asked if key != "backend" and found[key] != asked[key]]
    if differ:
        raise SystemExit(f"{run.folder} was not made by {recipe}: {', '.join(differ)}")
    return dataclasses.replace(written, backend=run.recipe().backend)


def publish(name, folder, wall=None):
    """Write the folder of a preset from that of a run.

    Args:
        name: Name of the preset.
        folder: Folder of the run.
        wall: Seconds of the training, if the run has no record of them.
    """
    target = ZOO / name
    about = json.loads((target / "recipe.json").read_text(encoding="utf-8"))["about"]
    run = Run(folder)
    recipe, images = recipe_of(run, target / "recipe.json"), run.options()["images"]
    trained = load_file(run.model_file())
    environment = run.options().get("environment") or describe(recipe.backend)
    with tempfile.TemporaryDirectory() as scratch:  # The zoo keeps its own until all is measured.
        trained.save_to_preset(scratch, half=True)
        model = kerasgan.from_preset(scratch)
    names = ("name_or_path", *scorecard.LOADING)
    data = {name: recipe.data[name] for name in names if recipe.data.get(name)}
    keras.utils.set_random_seed(0)
    samples = about.get("samples", SAMPLES)
    card = scorecard.measure(model, data, samples)
    called = about.get("data", data["name_or_path"])
    metadata = {
        "title": about["title"],
        "data": f"{called}, {'x'.join(map(str, model.image_shape))}",
        "license": "apache-2.0",
        "attribution": about["attribution"],
        "command": f"kerasgan zoo train {name}",
        "critic_steps": trained.critic_steps,
        "generator_steps": trained.generator_steps,
        "seconds": round(run.seconds() if wall is None else wall),
        "environment": environment,
        "card": card,
    }
    if model.num_classes is not None and run.classes():
        metadata["classes"] = run.classes()  # `kerasgan sample --label NAME` reads them.
    trained.save_to_preset(target, metadata, half=True)
    shutil.copy(run.metrics, target / "training.csv")
    real = kerasgan.data.load(**data)
    compared = min(samples, real.num_examples)
    write_pictures(target, model, run, real, compared)
    text = card_text(name, about, recipe, images, metadata, model, real, compared)
    (target / "README.md").write_text(text, encoding="utf-8")
    print(f"wrote {target}: {sorted(presets.presets())}")


def write_pictures(target, model, run, real, compared):
    """Write the samples, the moments of the training, and the failures of a preset."""
    pictures.save_grid(target / "samples.png", model.sample(100, seed=7), scale=2)
    strip = over_time(run.samples, model.image_shape[0])
    if strip is not None:
        strip.save(target / "epochs.png", optimize=True)
    pictures.save_grid(
        target / "failures.png", failures(model, real, compared), columns=12, scale=2
    )


def card_text(name, about, recipe, images, metadata, model, real, compared):
    """Return the model card of a preset as Markdown.

    Args:
        name: Name of the preset.
        about: The texts of its recipe.
        recipe: The `Recipe` of its run.
        images: Number of training images.
        metadata: What is stored with the preset.
        model: The published model.
        real: The training images.
        compared: Number of real images with which failures were compared.
    """
    card, environment = metadata["card"], metadata["environment"]
    labelled = model.num_classes is not None
    first = catalogue.VARIANTS[recipe.variant].architectures[0]
    network, trained_on = recipe.networks.get("architecture", first), recipe.data["name_or_path"]
    called = f" ({about['data']})" if "data" in about else ""
    what = (
        f"The variant is `{recipe.variant}` with the `{network}` networks. The generator has "
        f"{model.generator.count_params():,} parameters and the critic has "
        f"{model.critic.count_params():,}. It was trained on the {images:,} images of "
        f"`{trained_on}`{called}, which are {'x'.join(map(str, model.image_shape))}."
    )
    cores = environment["cores"]
    tags = dict.fromkeys(("keras", "gan", recipe.variant))
    return CARD.format(
        pipeline="" if labelled else "pipeline_tag: unconditional-image-generation\n",
        tags="\n".join(f"- {tag}" for tag in tags),
        name=name, what=what, title=about["title"], limits=about["limits"],
        attribution=about["attribution"], remark=about.get("remark", ""),
        data="" if "data" in about else f"datasets:\n- {trained_on}\n",
        obtain=f"{about['obtain']}\n\n" if "obtain" in about else "",
        model=recipe.variant, seed=recipe.seed,
        critic_steps=metadata["critic_steps"], generator_steps=metadata["generator_steps"],
        wall=duration(metadata["seconds"]), cores=f"{cores} core{'s' * (cores > 1)}",
        machine=environment["machine"], backend=recipe.backend,
        versions=", ".join(f"{k} {v}" for k, v in environment["versions"].items()),
        samples=card["results"][0]["provenance"]["samples"],
        extractor=card["results"][0]["provenance"]["extractor"],
        compared=compared, features=features(model, card),
        rows=rows(card), noise=noise(card), shares=shares(card, real.class_names),
    )  # fmt: skip


def main():
    """Read the arguments and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, help="wall time, if the run has no record of it")
    arguments = parser.parse_args()
    publish(arguments.name, arguments.run, arguments.seconds)


if __name__ == "__main__":
    main()
