"""Whether StyleGAN2's networks compute what the authors' code computes, and how fast.

    python benchmarks/against_authors.py --checkout PATH [--sizes 32 64] [--backends torch]

It writes `against_authors.json`.

PATH is a checkout of NVlabs/stylegan2-ada-pytorch, which the user brings: nothing of it is a part
of this repository. Its code makes networks with drawn weights, saves them, and computes images,
styles, scores, losses, penalties and gradients from given latent vectors. Each backend then
converts the saved file, and computes the same. A difference is the greatest one, divided by the
standard deviation of what the authors' code gives, or by the greatest of fewer than ten numbers; of
a gradient it is the norm of the difference, divided by the gradient's. The speed is that of the
generator of 256 pixels on each backend; on PyTorch both run in one process, in turns.
"""

import json
import os
import pickle
import sys
import tempfile
import time
import types
from pathlib import Path

import experiment
import numpy as np

from kerasgan.environment import describe
from kerasgan.files import read_json, write_json

TAKES = "15 minutes"
NARROW = {"channel_base": 4096, "channel_max": 128}
CASES = {
    "32, RGB": {"size": 32, **NARROW},
    "64, grey, 8 mapping layers": {"size": 64, "channels": 1, "layers": 8, **NARROW},
    "64, conditional": {"size": 64, "classes": 10, **NARROW},
    "64, residual and skip": {"size": 64, "generator": "resnet", "critic": "skip", **NARROW},
    "64, plain": {"size": 64, "generator": "orig", "critic": "orig", **NARROW},
    "256, mixed precision": {"size": 256, "reduced": 4, "channel_base": 16384},
    # Gradients of gradients of so large images take more memory, operation by operation, than the
    # machine has.
    "1024": {
        "size": 1024, "reduced": 4, "channel_base": 32768, "batch": 2, "gradients": False,
    },
}  # fmt: skip
FASTEST = "256, mixed precision"  # The case whose generators are timed.
TURNS, TIMED = 9, 8  # Turns of each generator, and images in one.


def given(case):
    """Return the latent vectors, the labels, the images and the noise of a case."""
    rng = np.random.default_rng(1)
    n, size, channels = case.get("batch", 4), case["size"], case.get("channels", 3)
    return {
        "z": rng.standard_normal((n, 512)).astype("float32"),
        "labels": (np.arange(n) % case.get("classes", 1)).astype("int32"),
        "x": rng.uniform(-1, 1, (n, size, size, channels)).astype("float32"),
        "y": rng.standard_normal((n, size, size, channels)).astype("float32"),
    }


def _checkout():
    """Import the authors' networks from the checkout."""
    sys.path.insert(0, os.environ["AUTHORS_CHECKOUT"])
    try:
        import pkg_resources  # noqa: F401 - their code asks it for versions.
    except ImportError:
        from packaging.version import parse

        sys.modules["pkg_resources"] = types.SimpleNamespace(parse_version=parse)
    from training import networks

    return networks


def theirs(name, folder):
    """Make networks by the authors' code, save them, and save what they compute."""
    import torch

    networks, case = _checkout(), CASES[name]
    torch.manual_seed(0)
    size, channels = case["size"], case.get("channels", 3)
    classes = case.get("classes", 0)
    shared = {
        "channel_base": case["channel_base"],
        "channel_max": case.get("channel_max", 512),
        "num_fp16_res": case.get("reduced", 0),
        "conv_clamp": 256,
    }
    generator = networks.Generator(
        512,
        classes,
        512,
        size,
        channels,
        mapping_kwargs={"num_layers": case.get("layers", 2)},
        synthesis_kwargs={"architecture": case.get("generator", "skip"), **shared},
    )
    critic = networks.Discriminator(
        classes, size, channels, architecture=case.get("critic", "resnet"), **shared
    )
    for network in (generator, critic):
        for key, value in network.state_dict().items():  # What is zero at first is drawn too.
            if key.endswith(("bias", "noise_strength", "w_avg")):
                value.add_(0.1 * torch.randn_like(value))
            if ".torgb." in key:  # Images then lie between -1 and 1, where they are not cut.
                value.mul_(0.1)
        network.eval().requires_grad_(True)
    with open(folder / "network.pkl", "wb") as file:
        pickle.dump({"G": generator, "D": critic, "G_ema": generator}, file)
    arrays = given(case)
    z = torch.tensor(arrays["z"])
    c = torch.eye(classes)[arrays["labels"]] if classes else torch.zeros(len(z), 0)
    x, y = (_first(torch.tensor(arrays[key])) for key in "xy")
    out = {}
    with torch.no_grad():
        out["styles"] = generator.mapping(z, c)[:, 0]
        for truncation in (1.0, 0.5):
            for noise in ("const", "none"):
                images = generator(
                    z, c, truncation_psi=truncation, noise_mode=noise, force_fp32=True
                )
                out[f"images, {noise} noise, truncation {truncation}"] = _last(images).clamp(-1, 1)
        images = generator.synthesis(generator.mapping(z, c), noise_mode="const", force_fp32=True)
        out["scores"] = critic(x, c, force_fp32=True)
        loss = torch.nn.functional.softplus(-critic(images, c, force_fp32=True)).mean()
        out["generator's loss"] = loss
    if case.get("gradients", True):
        out |= _their_gradients(generator, critic, z, c, x, y, size)
    np.savez(folder / "theirs.npz", **{k: v.detach().numpy() for k, v in out.items()})


def _their_gradients(generator, critic, z, c, x, y, size):
    """Return the penalties of the authors' networks, and gradients of these and of the loss."""
    import torch

    out = {}
    x.requires_grad_(True)
    (slopes,) = torch.autograd.grad(critic(x, c, force_fp32=True).sum(), x, create_graph=True)
    out["R1"] = r1 = slopes.square().sum([1, 2, 3]).mean() / 2
    out["gradient of R1"] = _kernel(torch.autograd.grad(r1, critic.b4.conv.weight)[0])
    ws = generator.mapping(z, c)
    images = generator.synthesis(ws, noise_mode="const", force_fp32=True)
    (steps,) = torch.autograd.grad((images * y / size).sum(), ws, create_graph=True)
    out["path lengths"] = lengths = steps.square().sum(2).mean(1).sqrt()
    penalty = (lengths - torch.tensor(0.3).lerp(lengths.mean(), 0.01)).square().mean()
    out["path penalty"] = penalty
    kernel = generator.synthesis.b8.conv1.weight
    out["gradient of the path penalty"] = _kernel(
        torch.autograd.grad(penalty, kernel, retain_graph=True)[0]
    )
    loss = torch.nn.functional.softplus(-critic(images, c, force_fp32=True)).mean()
    out["gradient of the generator's loss"] = _kernel(torch.autograd.grad(loss, kernel)[0])
    return out


def _first(images):
    return images.permute(0, 3, 1, 2).contiguous()


def _last(images):
    return images.permute(0, 2, 3, 1)


def _kernel(gradient):
    return gradient.permute(2, 3, 1, 0)


def ours(name, folder):
    """Return how far a converted network is from the authors', by what is computed."""
    from keras import ops

    from kerasgan import convert

    gan, arrays = convert.from_pickle(folder / "network.pkl"), given(CASES[name])
    labels = arrays["labels"] if gan.num_classes else None
    generator, critic = gan.generator, gan.critic
    found = {}
    w = (
        generator.mapping(arrays["z"])
        if labels is None
        else generator.mapping(arrays["z"], ops.convert_to_tensor(labels))
    )
    styles = ops.repeat(w[:, None], gan.style_layers, axis=1)
    found["styles"] = w
    for truncation in (1.0, 0.5):
        for theirs, noise in (("const", "constant"), ("none", "none")):
            found[f"images, {theirs} noise, truncation {truncation}"] = gan.decode_latents(
                arrays["z"], labels, truncation=truncation, noise=noise, batch_size=len(arrays["z"])
            )
    x = ops.convert_to_tensor(arrays["x"])

    def scored(images):
        return critic(images if labels is None else [images, ops.convert_to_tensor(labels)])

    found["scores"] = scored(x)
    found["generator's loss"] = _loss(scored, generator, styles)
    if CASES[name].get("gradients", True):
        found |= _our_gradients(gan, scored, x, arrays, styles)
    with np.load(folder / "theirs.npz") as file:
        expected = {key: file[key] for key in file}
    if expected.keys() != found.keys():
        raise SystemExit(f"not compared: {expected.keys() ^ found.keys()}")
    return {key: _difference(key, found[key], expected[key]) for key in expected}


def _loss(scored, generator, styles):
    from keras import ops

    return ops.mean(ops.softplus(-scored(generator.synthesis(styles))))


def _our_gradients(gan, scored, x, arrays, styles):
    """Return what `_their_gradients` returns."""
    import keras
    from keras import ops

    from kerasgan import backend
    from kerasgan.penalties import PathLength, PenaltyInputs, zero_centred_penalty

    found, generator = {}, gan.generator
    last = gan.critic.get_layer("last_conv").kernel
    found["R1"], (found["gradient of R1"],) = backend.value_and_grad(
        lambda: zero_centred_penalty(scored, x), [last]
    )
    penalty = PathLength(part=1)
    penalty.build(lambda **options: keras.Variable(0.3, trainable=False))
    inputs = PenaltyInputs(
        real=None, fake=x, z=None, labels=None, training=False, scores=None, generate=None,
        image_shape=gan.image_shape, stages=lambda rows: (styles, generator.synthesis),
        noise=lambda *shape: ops.convert_to_tensor(arrays["y"]),
    )  # fmt: skip

    def paths():
        # As in a step, whose mean moves first.
        lengths = penalty.lengths(inputs, len(arrays["z"]))
        mean = 0.3 + 0.01 * (ops.mean(lengths) - 0.3)
        return ops.mean(ops.square(lengths - mean))

    kernel = generator.synthesis.blocks[1].refine.kernel
    found["path lengths"] = penalty.lengths(inputs, len(arrays["z"]))
    value, (found["gradient of the path penalty"],) = backend.value_and_grad(paths, [kernel])
    found["path penalty"] = value
    _, (found["gradient of the generator's loss"],) = backend.value_and_grad(
        lambda: _loss(scored, generator, styles), [kernel]
    )
    return found


def _difference(key, found, expected):
    from keras import ops

    away = ops.convert_to_numpy(found) - expected
    if "gradient" in key:  # One number that rounding moves over a kink changes a part of it.
        return float(np.linalg.norm(away) / np.linalg.norm(expected))
    scale = np.abs(expected).max() if expected.size < 10 else expected.std()
    return float(np.abs(away).max() / scale)


def speed(folder):
    """Return the images a second of the generators, `TURNS` each: on PyTorch both, in turns."""
    import keras

    from kerasgan import convert

    gan = convert.from_pickle(folder / "network.pkl")
    z = gan.latent_vectors(TIMED, 0)
    runs = {"ours": lambda: gan.decode_latents(z, batch_size=TIMED)}
    if keras.backend.backend() == "torch":
        runs["theirs"] = _speed_of_theirs(folder, z)
    rates = {"environment": describe(keras.backend.backend()), **{who: [] for who in runs}}
    for turn in range(TURNS + 1):
        for who, run in runs.items():
            began = time.perf_counter()
            run()
            if turn:  # The first one may prepare something.
                rates[who].append(TIMED / (time.perf_counter() - began))
    return rates


def _speed_of_theirs(folder, z):
    import torch

    _checkout()
    with open(folder / "network.pkl", "rb") as file:
        generator = pickle.load(file)["G_ema"].requires_grad_(False)
    c = torch.zeros(len(z), 0)

    def run():
        with torch.no_grad():
            generator(torch.tensor(z), c, noise_mode="const", force_fp32=True)

    return run


def _one(task):
    kind, _, rest = task.partition(":")
    name, _, folder = rest.partition("@")
    if kind == "theirs":
        theirs(name, Path(folder))
        return {}
    return speed(Path(folder)) if kind == "speed" else ours(name, Path(folder))


def run(checkout, sizes=None, backends=tuple(experiment.BACKENDS), out=experiment.RESULTS):
    """Compare the cases, and write the differences; those of others stay as they are."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "against_authors.json"
    stored = read_json(path) if path.exists() else {"cases": {}, "speed": {}}
    environment = {"AUTHORS_CHECKOUT": str(Path(checkout).resolve())}
    result = {**stored, "environment": describe("torch")}
    for name, case in CASES.items():
        if sizes and case["size"] not in sizes:
            continue
        with tempfile.TemporaryDirectory() as folder:

            def task(kind, backend, name=name, folder=folder):
                given = {**environment, "KERAS_BACKEND": backend}
                return experiment.apart(__file__, f"{kind}:{name}@{folder}", 2, **given)[-1]

            task("theirs", "torch")
            found = result["cases"].setdefault(name, {})
            found.update({b: task("ours", b) for b in backends})
            if name == FASTEST:
                result["speed"] = {**result["speed"], **{b: task("speed", b) for b in backends}}
        worst = {b: max(found.values()) for b, found in result["cases"][name].items()}
        print(name, json.dumps(worst), flush=True)
        write_json(path, result)


def table(folder=experiment.RESULTS):
    """Return the greatest differences, one row for each case, and the speed."""
    [found] = experiment.stored("against_authors.json", folder)
    kinds = {
        "Images": lambda key: key.startswith(("images", "styles")),
        "Scores and losses": lambda key: (
            "gradient" not in key and not key.startswith(("images", "styles"))
        ),
        "Gradients": lambda key: "gradient" in key,
    }
    rows = []
    for name, backends in found["cases"].items():
        cells = [name]
        for wanted in kinds.values():
            values = [
                [v for k, v in backends.get(b, {}).items() if wanted(k)]
                for b in experiment.BACKENDS
            ]
            worst = [f"{max(own):.0e}" if own else "not compared" for own in values]
            cells.append(", ".join(worst) if any(values) else "not compared")
        rows.append(cells)
    order = ", ".join(experiment.BACKENDS.values())
    text = (
        f"{experiment.markdown(['Networks', *kinds], rows)}\n\nGreatest differences on {order}, "
        "divided by the standard deviation of what the authors' code gives, or by the greatest of "
        "fewer than ten numbers; of gradients the norm of the difference, divided by theirs. "
        "Rounding moves numbers over the kinks of leaky "
        "ReLUs, which changes a part of a gradient."
    )
    median = {
        backend: {w: float(np.median(turns[w])) for w in ("ours", "theirs") if w in turns}
        for backend, turns in found["speed"].items()
    }
    if "torch" in median:
        others = [
            f"{median[b]['ours']:.2f} on {title}"
            for b, title in experiment.BACKENDS.items()
            if b in median and b != "torch"
        ]
        text += (
            f" On PyTorch the generator of 256 pixels makes {median['torch']['ours']:.2f} images a "
            f"second, the authors' code {median['torch']['theirs']:.2f}, in turns (float32, "
            f"batches of {TIMED}, medians of {TURNS} turns){'; ' if others else ''}"
            f"{' and '.join(others)}. It ran {experiment.where(found['speed']['torch'])}."
        )
    return text


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--checkout", help="a checkout of NVlabs/stylegan2-ada-pytorch")
    arguments.add_argument("--sizes", type=int, nargs="*", help="only these sizes")
    arguments.add_argument(
        "--backends",
        nargs="*",
        choices=list(experiment.BACKENDS),
        default=list(experiment.BACKENDS),
    )
    arguments.add_argument("--one", help="for its own processes")
    options = arguments.parse_args()
    if options.one:
        print(json.dumps(_one(options.one)))
    else:
        run(options.checkout, options.sizes, options.backends, options.out)
        print(table(options.out))
