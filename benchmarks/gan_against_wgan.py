"""A GAN against a WGAN on cartoon faces, epoch by epoch: images, losses, gradients and diversity.

    python benchmarks/gan_against_wgan.py [--epochs 30] [--seed 0]

It writes `gan_against_wgan-SEED.json`, `.png` and `.webp`.

The setting is that of section 4.3 of Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875. The
generator has four dense layers of 512 units with ReLU and no normalisation; the critic is that of a
DCGAN with batch normalisation. Initial weights, images and the number of critic steps are the same
for all. The GAN is trained once with the DCGAN's optimizer. It is trained once more with the WGAN's
optimizer and critic steps, so that only the loss and the clipping differ. Because the training is
short, the WGAN has six times its paper's learning rate, and three critic steps a round instead of
five. These are measured after each epoch:

- a grid of the same hundred latent vectors, and the guard's check (it only warns here): `diversity`
  is 1 for real images. A model counts as collapsed from the epoch after which it never again
  reaches a tenth of that;
- `distance`, estimated from the critic's mean loss of the epoch: the Jensen-Shannon divergence,
  log 2 - loss / 2, which is at most log 2; or the Wasserstein distance, -loss, up to the critic's
  Lipschitz constant. It is a lower bound at best, and batch normalisation lets the critic compare
  whole batches. Its rank correlation with the Fréchet distance over the epochs tells whether the
  loss follows the quality of the images;
- `gradient`, the mean norm of the gradient that a generated image gets from the generator's loss,
  summed over 256 images;
- `largest_weight` of the critic's kernels, and `at_bound`, the share of weights at or beyond the
  bound of WGAN's clipping. Weights may lie beyond it, because a step clips before it moves them.
"""

import itertools
import json
import time

import experiment
import keras
import numpy as np
from PIL import Image, ImageDraw

import kerasgan
from kerasgan import backend, pictures
from kerasgan.callbacks import CollapseGuard, Scores
from kerasgan.environment import describe
from kerasgan.metrics import extractors

TAKES = "10 minutes a seed"
SIZE, IMAGES, BATCH, MEASURED, SHOWN = 32, 10_000, 64, 256, 100
COLLAPSED = 0.1  # A collapsed model never again reaches this diversity.
ADAM, RMSPROP = "Adam 2e-4, beta_1 0.5", "RMSProp 3e-4"
MODELS = {  # The class, its arguments, and the optimizer of both networks.
    "GAN": (kerasgan.GAN, {}, ADAM),
    "GAN, trained as the WGAN": (kerasgan.GAN, {"n_critic": 3}, RMSPROP),
    "WGAN": (kerasgan.WGAN, {"n_critic": 3, "clip": 0.01}, RMSPROP),
}


def optimizer(kind):
    """Return a new optimizer."""
    if kind == ADAM:
        return keras.optimizers.Adam(2e-4, beta_1=0.5)
    return keras.optimizers.RMSprop(3e-4, rho=0.99, epsilon=1e-16)  # As `WGAN` has by default.


class Critic(keras.callbacks.Callback):
    """Logs the figures of the critic after each epoch, and keeps a hundred images."""

    def __init__(self):
        super().__init__()
        self.grids = []

    def on_epoch_end(self, epoch, logs=None):
        gan = self.model
        images = gan.decode_latents(gan.latent_vectors(MEASURED, 1), raw=True)
        images = keras.ops.convert_to_tensor(images)
        wgan = isinstance(gan, kerasgan.WGAN)
        loss = (lambda x: -x) if wgan else (lambda x: keras.ops.softplus(-x))
        before = gan.critic.get_weights()  # The call changes the statistics of batch normalisation.
        gradients = backend.gradient(lambda x: loss(gan.critic(x, training=True)), images)
        gan.critic.set_weights(before)
        gradients = keras.ops.convert_to_numpy(gradients)
        logs["gradient"] = float(np.sqrt(np.square(gradients).sum(axis=(1, 2, 3))).mean())
        of_epoch = logs["critic_loss"]
        logs["distance"] = float(-of_epoch if wgan else np.log(2) - of_epoch / 2)
        weights = [w.ravel() for w in gan.critic.get_weights() if w.ndim > 1]
        weights = np.abs(np.concatenate(weights))
        logs["largest_weight"] = float(weights.max())
        bound = getattr(gan, "clip", np.inf)
        logs["at_bound"] = float((weights >= 0.999 * bound).mean())
        self.grids.append(pictures.grid(gan.sample(SHOWN, seed=7)))


def train(name, data, epochs, seed):
    """Train one of the models and return its figures and a picture for each epoch."""
    variant, arguments, kind = MODELS[name]
    keras.utils.set_random_seed(seed)
    shared = {"image_size": SIZE, "channels": 3}
    generator, _ = kerasgan.networks.mlp(**shared, width=512, depth=4)
    _, critic = kerasgan.networks.dcgan(**shared, width=24, critic_norm="batch")
    gan = variant(generator, critic, seed=seed, **arguments)
    gan.compile(optimizer(kind), optimizer(kind))
    watch = Critic()
    guard = CollapseGuard("warn", samples=1000, every=data.batches_per_epoch)
    # A network trained on ImageNet would take longer than the training, on a CPU.
    projection = extractors.RandomProjection(64)
    metrics = ["frechet_distance", "coverage"]
    scores = Scores(data, metrics=metrics, samples=2000, extractor=projection)
    began = time.perf_counter()
    history = gan.fit(data, epochs=epochs, verbose=2, callbacks=[guard, scores, watch]).history
    alarms = [d.epoch for d in guard.journal.decisions]
    return {
        "optimizer": kind,
        "n_critic": gan.n_critic,
        "clip": getattr(gan, "clip", None),
        "parameters": [generator.count_params(), critic.count_params()],
        "critic_steps": gan.critic_steps,
        "seconds": round(time.perf_counter() - began),
        "alarms": alarms,
        "collapsed": collapse(history["diversity"]),
        "real": {r.name: r.baseline for r in scores.results},
        "epochs": {key: [float(v) for v in values] for key, values in history.items()},
    }, watch.grids


def collapse(diversity):
    """Return the epoch from which on diversity stays below `COLLAPSED`, or None."""
    lacking = list(itertools.takewhile(lambda value: value < COLLAPSED, reversed(diversity)))
    return len(diversity) - len(lacking) + 1 if lacking else None


def ranks(values):
    """Return the rank of each value, from 0."""
    return np.argsort(np.argsort(values)).astype("float64")


def summary(found):
    """Return the figures of a model's training that the table shows."""
    epochs = {key: np.array(values) for key, values in found["epochs"].items()}
    distance, frechet = ranks(epochs["distance"]), ranks(epochs["frechet_distance"])
    found = {
        "correlation": float(np.corrcoef(distance, frechet)[0, 1]),
        "largest_weight": epochs["largest_weight"][-1],
        "at_bound": epochs["at_bound"][-1],
        "gradient": {"median": np.median(epochs["gradient"]), "least": epochs["gradient"].min()},
    }
    for name, best in (("diversity", np.max), ("coverage", np.max), ("frechet_distance", np.min)):
        found[name] = {"best": best(epochs[name]), "last": epochs[name][-1]}
    return found


def fallen(model, i):
    """Return whether a model had collapsed after the epoch with index `i`."""
    return model["collapsed"] is not None and model["collapsed"] <= i + 1


def frames(result, grids):
    """Return a picture for each epoch: all grids side by side, framed in red once collapsed."""
    found = []
    for i in range(len(grids["GAN"])):
        parts = []
        for name, model in result["models"].items():
            part = pictures.picture(grids[name][i])
            frame = Image.new("RGB", (part.width + 8, part.height + 26), "white")
            canvas = ImageDraw.Draw(frame)
            colour, text = "black", f"{name}, epoch {i + 1}"
            if fallen(model, i):
                colour, text = "red", f"{text}: collapsed"
                canvas.rectangle((0, 20, frame.width - 1, frame.height - 1), fill=colour)
            frame.paste(part, (4, 22))
            canvas.text((4, 4), text, fill=colour)
            parts.append(frame)
        step = parts[0].width + 8
        whole = Image.new("RGB", (step * len(parts) - 8, parts[0].height), "white")
        for k, part in enumerate(parts):
            whole.paste(part, (k * step, 0))
        found.append(whole)
    return found


def plot(result, grids, path):
    """Plot six moments of each training, and the curves below."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    epochs = len(grids["GAN"])
    moments = np.unique(np.linspace(0, epochs - 1, 6).round().astype(int))
    figure = plt.figure(figsize=(10, 9), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(2, 1))
    rows = upper.subplots(len(MODELS), len(moments))
    part = 5 * (SIZE + 1) - 1
    for row, (name, model) in zip(rows, result["models"].items(), strict=True):
        for axes, i in zip(row, moments, strict=True):
            axes.imshow(grids[name][i][:part, :part])
            colour, text = "k", f"epoch {i + 1}"
            if fallen(model, i):
                colour, text = "r", f"{text}: collapsed"
            axes.set_title(text, fontsize=9, color=colour)
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
    curves = lower.subplots(1, 3)
    for axes, key in zip(curves, ("diversity", "distance", "gradient"), strict=True):
        for name, model in result["models"].items():
            axes.plot(range(1, epochs + 1), model["epochs"][key], label=name)
        axes.set(xlabel="epoch", title=key)
        axes.grid(color="0.9")
    curves[0].axhline(1.0, color="0.6", ls="--")
    curves[2].set_yscale("log")
    curves[0].legend(frameon=False)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def run(epochs=30, seed=0, out=experiment.RESULTS):
    """Train all three, write the figures, plot them, and write an animation of the images."""
    out.mkdir(parents=True, exist_ok=True)
    data = kerasgan.data.load("avatars", image_size=SIZE, limit=IMAGES, batch_size=BATCH)
    result = {
        "protocol": f"{IMAGES:,} cartoon faces of {SIZE} pixels, batches of {BATCH}, "
        f"{epochs} epochs",
        "seed": seed,
        "environment": describe(keras.backend.backend()),
        "models": {},
    }
    grids = {}
    for name in MODELS:
        found, grids[name] = train(name, data, epochs, seed)
        result["models"][name] = {**found, "summary": summary(found)}
    path = out / f"gan_against_wgan-{seed}.json"
    path.write_text(json.dumps(result, indent=1, default=float) + "\n", encoding="utf-8")
    plot(result, grids, path.with_suffix(".png"))
    first, *others = frames(result, grids)
    first.save(
        path.with_suffix(".webp"), save_all=True, append_images=others, duration=300, loop=0,
        quality=30, method=6,
    )  # fmt: skip


ROWS = {  # The rows of the table, in order.
    "Distance that the loss estimates": lambda m: (
        "Wasserstein-1" if m["clip"] else "Jensen-Shannon"
    ),
    "in the last epoch": lambda m: f"{m['epochs']['distance'][-1]:.2f}",
    "its rank correlation with the Fréchet distance": lambda m: (
        f"{m['summary']['correlation']:.2f}"
    ),
    "Constraint on the critic": lambda m: (
        f"weights clipped at {m['clip']:g}" if m["clip"] else "none"
    ),
    "its largest weight at the end": lambda m: f"{m['summary']['largest_weight']:.2g}",
    "weights at the bound": lambda m: f"{m['summary']['at_bound']:.0%}" if m["clip"] else "-",
    "Gradient at a generated image, median": lambda m: f"{m['summary']['gradient']['median']:.2g}",
    "Stability: diversity at the end": lambda m: f"{m['summary']['diversity']['last']:.2f}",
    "coverage": lambda m: f"{m['summary']['coverage']['last']:.2f}",
    "Fréchet distance": lambda m: f"{m['summary']['frechet_distance']['last']:.0f}",
    "collapsed from epoch": lambda m: str(m["collapsed"] or "-"),
    "the guard's alarms": lambda m: ", ".join(map(str, m["alarms"])) or "-",
    "Optimizer": lambda m: m["optimizer"],
    "Critic steps, and critic steps in a round": lambda m: (
        f"{m['critic_steps']:,}, {m['n_critic']}"
    ),
}


def table(folder=experiment.RESULTS):
    """Return the comparison, a column for each model; a cell has a figure for each seed."""
    runs = experiment.stored("gan_against_wgan-*.json", folder)
    names = list(runs[0]["models"])
    rows = []
    for title, cell in ROWS.items():
        cells = [[cell(run["models"][name]) for run in runs] for name in names]
        rows.append([title, *(c[0] if len(set(c)) == 1 else ", ".join(c) for c in cells)])
    real = runs[0]["models"][names[0]]["real"]
    seeds = ", ".join(str(run["seed"]) for run in runs)
    return (
        f"{experiment.markdown(['', *names], rows)}\n\nA cell has one figure for each of the seeds "
        f"{seeds}, or one for all of them. {runs[0]['protocol']}, {experiment.where(runs[0])}. "
        "Weights are read after a step and before the next clipping. Fréchet distance and "
        "coverage are of 2,000 images, in 64 random projections of the pixels. Real images score "
        f"{real['frechet_distance']:.2f} and {real['coverage']:.2f}."
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
