"""The parameters of the networks at some sizes, and the memory of a training.

    python benchmarks/network_sizes.py

It writes `network_sizes.json`.

The networks have their default width, and make colour images. The memory is the greatest resident
set of a process that takes two steps of a GAN with batches of 16 images on a CPU, above what it had
when the backend was loaded.
"""

import json
import resource

import experiment
import numpy as np

from kerasgan.environment import describe
from kerasgan.sizes import ADVISED

TAKES = "15 minutes"
BATCH = 16
BACKEND = "torch"
NETWORKS = ("dcgan", "resnet-sngan", "resnet-r3gan", "fastgan")
KEY = "{network} {size}"


def one(key):
    """Return the parameters and the memory of one pair of networks, in this process."""
    import kerasgan

    network, size = key.split()
    name, _, style = network.partition("-")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    arguments = {"style": style} if style else {}
    pair = getattr(kerasgan.networks, name)(int(size), 3, **arguments)
    gan = (kerasgan.FastGAN if name == "fastgan" else kerasgan.GAN)(*pair)
    gan.compile()
    shape = (2 * BATCH, int(size), int(size), 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    gan.fit(kerasgan.data.ImageDataset(images, batch_size=BATCH), epochs=1, verbose=0)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    generator, critic = (part.count_params() for part in pair)
    return {"generator": generator, "critic": critic, "megabytes": (after - before) / 1000}


def run(out=experiment.RESULTS):
    """Measure every size that has no figures yet, each in a process of its own."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "network_sizes.json"
    stored = {"environment": describe(BACKEND), "found": {}}
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
    for network in NETWORKS:
        for size in ADVISED:
            key = KEY.format(network=network, size=size)
            if key not in stored["found"]:
                [stored["found"][key]] = experiment.apart(__file__, key, 2, KERAS_BACKEND=BACKEND)
                path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def table(folder=experiment.RESULTS):
    """Return the parameters and the memory, a row for each size."""
    [stored] = experiment.stored("network_sizes.json", folder)
    rows = []
    for size in ADVISED:
        row = [str(size)]
        for network in NETWORKS:
            found = stored["found"].get(KEY.format(network=network, size=size))
            row.append(_cell(found) if found else "-")
        rows.append(row)
    head = ["Pixels", *(network.replace("-", ", ") for network in NETWORKS)]
    place = stored["environment"]
    return (
        f"{experiment.markdown(head, rows)}\n\nMillions of parameters of the generator and the "
        f"critic, at the default width, and the memory of a training in batches of {BATCH} "
        f"{experiment.where(stored)}, {experiment.day(place)}, by `benchmarks/network_sizes.py`."
    )


def _cell(found):
    generator, critic = found["generator"] / 1e6, found["critic"] / 1e6
    return f"{generator:.1f} + {critic:.1f}; {found['megabytes'] / 1000:.1f} GB"


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--one", help="measure this pair in this process")
    options = arguments.parse_args()
    if options.one:
        print(json.dumps(one(options.one)))
    else:
        run(options.out)
        print(table(options.out))
