"""The lattice of each network: the energy of its images at the highest frequency, over real ones'.

    python benchmarks/lattice.py
    python benchmarks/lattice.py --train NETWORK

It writes `lattice.json`.

Upsampling that treats even and odd pixels differently leaves a checkerboard or a weave. Each preset
of the zoo generates images, and `metrics.nyquist_energy` measures them and as many real images of
its data. The table has the ratio of the two; that of other real images tells how far chance goes.
A ratio below 1 is no merit: images that are blurred have less of everything. Edges hide a lattice
where images have many. The column "even areas" shows it without them: its amplitude in the evenest
quarter of the windows, in the 255 levels of a pixel, and that of the real images.

The zoo has no preset of some networks. `--train` trains one of them for some minutes, all in the
same way: an R3GAN on avatars of 32 pixels.
"""

import experiment
import keras
import numpy as np

import kerasgan
from kerasgan import presets
from kerasgan.environment import describe
from kerasgan.files import read_json, write_json
from kerasgan.metrics import nyquist_energy
from kerasgan.metrics.checkerboard import window_energies
from kerasgan.recipe import Recipe
from kerasgan.storage import read_metadata

TAKES = "2 minutes, and 5 a network"
SAMPLES = 2000
EVEN = 500  # Images whose even areas are measured.
EPOCHS = 2
AVATARS = {"name_or_path": "avatars", "image_size": 32}
NETWORKS = {
    "dcgan": {"architecture": "dcgan"},
    "dcgan, nearest": {"architecture": "dcgan", "upsampling": "nearest"},
    "mlp": {"architecture": "mlp"},
    "resnet, sngan": {"architecture": "resnet", "style": "sngan"},
    "resnet, r3gan": {"architecture": "resnet", "style": "r3gan"},
}
WIDTHS = {"mlp": 256}  # Others have 16.


def measure(images, generated):
    """Return the energies of generated images, of as many real ones and of others."""
    rows = np.random.default_rng(0).permutation(len(images))
    real, other = (
        np.asarray(images[np.sort(rows[part])])
        for part in (slice(len(generated)), slice(len(generated), 2 * len(generated)))
    )
    return {
        "samples": len(real),
        "real": nyquist_energy(real),
        "other real": nyquist_energy(other),
        "generated": nyquist_energy(generated),
        "even areas of generated": _in_even_areas(generated),
        "even areas of real": _in_even_areas(real),
    }


def _in_even_areas(images):
    """Return the amplitude of a lattice in the evenest quarter of the windows, in 255 levels."""
    energies = window_energies(images[:EVEN]).sum(axis=-1)
    return float(127.5 * np.sqrt(np.quantile(energies, 0.25)))


def of_preset(folder):
    """Return the figures of one preset."""
    data = read_metadata(folder)["card"]["data"]
    recipe = Recipe.from_json(read_json(folder / "recipe.json"))
    style = recipe.networks.get("style")
    images = kerasgan.data.load(**data).images
    generated = kerasgan.from_preset(folder).sample(min(SAMPLES, len(images) // 2), seed=0)
    return {
        "network": ", ".join(filter(None, (recipe.architecture, style))),
        "data": data["name_or_path"],
        **measure(images, generated),
    }


def of_network(name, epochs=EPOCHS):
    """Train a network for some minutes and return its figures."""
    keras.utils.set_random_seed(0)
    data = kerasgan.data.load(**AVATARS, batch_size=64)
    recipe = Recipe("r3gan", networks={**NETWORKS[name], "width": WIDTHS.get(name, 16)})
    gan = recipe.build(data.image_shape, None, epochs * data.batches_per_epoch)
    gan.fit(data, epochs=epochs, verbose=2)
    return {
        "network": name,
        "data": "avatars",
        "epochs": epochs,
        "environment": describe(keras.backend.backend()),
        **measure(data.images, gan.sample(SAMPLES, seed=0)),
    }


def run(train=None, out=experiment.RESULTS):
    """Measure the presets, or train and measure a network, and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "lattice.json"
    found = read_json(path) if path.exists() else {}
    if train is None:
        made = {name: of_preset(folder) for name, folder in presets.presets().items()}
        found |= {"presets": made, "environment": describe(keras.backend.backend())}
    else:
        found.setdefault("trained", {})[train] = of_network(train)
    write_json(path, found)


def ratio(figures, which="generated"):
    """Return the energy of images over that of real ones, all directions together."""
    return sum(figures[which]) / sum(figures["real"])


def table(folder=experiment.RESULTS):
    """Return the ratios: a row for each preset, sorted by network and data, then the networks."""
    [found] = experiment.stored("lattice.json", folder)
    order = sorted(
        found.get("presets", {}).items(),
        key=lambda item: (item[1]["network"], item[1]["data"], ratio(item[1])),
    )
    rows = [[f"`{name}`", *_cells(figures)] for name, figures in order]
    rows += [
        [f"*{figures['epochs']} epochs at 32 pixels*", *_cells(figures)]
        for figures in found.get("trained", {}).values()
    ]
    directions = ["Upright", "Lying", "Checkered", "Together"]
    head = ["Preset", "Network", "Data", *directions, "Other real", "Even areas (of real)"]
    measured = [found, *found.get("trained", {}).values()]
    places = dict.fromkeys(
        f"{experiment.where(one)}, {experiment.day(one['environment'])}"
        for one in measured
        if "environment" in one
    )
    return (
        f"{experiment.markdown(head, rows)}\n\nN: {SAMPLES:,} generated images and as many real "
        f"ones. By `benchmarks/lattice.py`, {'; '.join(places)}."
    )


def _cells(figures):
    parts = [a / b for a, b in zip(figures["generated"], figures["real"], strict=True)]
    even = (figures[f"even areas of {which}"] for which in ("generated", "real"))
    values = [*parts, ratio(figures), ratio(figures, "other real")]
    cells = [f"{value:.2f}" for value in values]
    return [figures["network"], figures["data"], *cells, "{:.2f} ({:.2f})".format(*even)]


if __name__ == "__main__":
    parser = experiment.parser(__doc__)
    parser.add_argument("--train", choices=NETWORKS, metavar="NETWORK")
    options = parser.parse_args()
    run(**vars(options))
    print(table(options.out))
