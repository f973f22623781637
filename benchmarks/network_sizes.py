"""The parameters of the networks at some sizes, and the memory of a training.

    python benchmarks/network_sizes.py

It writes `network_sizes.json`.

The networks have their default width, and make colour images. The memory is the greatest resident
set of a process that takes two steps of a GAN with batches of 16 images on a CPU, above what it had
when the backend was loaded. A StyleGAN2 of high resolution takes one step with a batch of one
image, or samples one.
"""

import json
import resource

import experiment
import numpy as np

from kerasgan.environment import describe
from kerasgan.sizes import ADVISED

TAKES = "20 minutes"
BATCH = 16
BACKEND = "torch"
NETWORKS = ("dcgan", "resnet-sngan", "resnet-r3gan", "fastgan")
VARIANTS = {"fastgan": "FastGAN", "stylegan2": "StyleGAN2"}  # The others are trained as a GAN.
KEY = "{network} {size}"
HIGH, HIGH_KEY = (256, 512, 1024), "stylegan2 {size} {does}"
ELSEWHERE = {f"stylegan2 1024 step {b}": b for b in experiment.BACKENDS if b != BACKEND}
DOES = {"sample": "Sampling an image, GB", "step": "A step with one image, GB"}


def one(key):
    """Return the parameters of a pair of networks, and the memory it takes, in this process."""
    import kerasgan

    network, size, *does = key.split()
    name, _, style = network.partition("-")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    arguments = {"style": style} if style else {}
    pair = getattr(kerasgan.networks, name)(int(size), 3, **arguments)
    gan = getattr(kerasgan, VARIANTS.get(name, "GAN"))(*pair)
    gan.compile()
    if does[:1] == ["sample"]:
        gan.sample(1, seed=0)
    else:  # The first step has all penalties.
        steps, batch = (1, 1) if does else (2, BATCH)
        shape = (steps * batch, int(size), int(size), 3)
        images = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
        gan.fit(kerasgan.data.ImageDataset(images, batch_size=batch), epochs=1, verbose=0)
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
    keys = [KEY.format(network=network, size=size) for network in NETWORKS for size in ADVISED]
    keys += [HIGH_KEY.format(size=size, does=does) for size in HIGH for does in DOES]
    for key in [*keys, *ELSEWHERE]:
        if key not in stored["found"]:
            backend = ELSEWHERE.get(key, BACKEND)
            [found] = experiment.apart(__file__, key, 2, KERAS_BACKEND=backend)
            stored["found"][key] = {**found, "environment": describe(BACKEND)}
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


def high_table(folder=experiment.RESULTS):
    """Return the memory of a StyleGAN2, a row for each size."""
    [stored] = experiment.stored("network_sizes.json", folder)
    rows = []
    for size in HIGH:
        found = [stored["found"].get(HIGH_KEY.format(size=size, does=does)) for does in DOES]
        if all(found):
            parameters = (found[0][part] / 1e6 for part in ("generator", "critic"))
            cells = [f"{one['megabytes'] / 1000:.1f}" for one in found]
            rows.append([str(size), *(f"{n:.1f}" for n in parameters), *cells])
    head = ["Pixels", "Generator, millions", "Critic, millions", *DOES.values()]
    place = stored["environment"]
    others = " and ".join(
        f"{stored['found'][key]['megabytes'] / 1000:.1f} GB on {experiment.BACKENDS[backend]} "
        f"({stored['found'][key]['environment']['machine']})"
        for key, backend in ELSEWHERE.items()
        if key in stored["found"]
    )
    return (
        f"{experiment.markdown(head, rows)}\n\nParameters, and the memory of a process on "
        f"{experiment.cores(place)} ({place['backend']}) above what it has when the backend is "
        "loaded. The step is one of both networks with R1 and the path lengths"
        f"{'; at 1,024 pixels it takes ' if others else ''}{others}. By "
        "`benchmarks/network_sizes.py`."
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
