"""A GAN against a WGAN on drawn faces: a hundred images an epoch, and what each critic says.

    python benchmarks/gan_against_wgan.py [--epochs 30] [--seed 0] [--out DIR]

It writes `gan_against_wgan-SEED.json`, `.png` and `.webp`, by default into `benchmarks/results/`.

As section 4.3 of Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875: a generator of dense
layers, four of 512 units with ReLU and no normalisation, against the critic of a DCGAN with batch
normalisation. Initial weights, images and the number of critic steps are the same for all; the GAN
is trained once with the DCGAN's optimizer and once with the WGAN's and its critic steps, so that
loss and clipping alone differ. For a short training the WGAN has six times its paper's rate and
three critic steps in a round for five. After each epoch:

- a grid of the same hundred latent vectors, and the guard's look (it only warns here): `diversity`
  is 1 for real images. A model is marked as collapsed from the epoch after which it never again
  has a tenth of that;
- `distance`, what the critic's mean loss of the epoch estimates: the Jensen-Shannon divergence,
  log 2 - loss / 2, at most log 2; or the Wasserstein distance, -loss, up to the critic's steepness.
  An estimate from below at best, and batch normalisation lets the critic compare whole batches. Its
  rank correlation with the Fréchet distance over the epochs says whether the loss tells how good
  the images are;
- `gradient`, the mean norm of what the generator's loss, summed over 256 generated images, sends to
  each of them;
- `largest_weight` of the critic's kernels, and `at_bound`, the share of them at the bound of WGAN's
  clipping or beyond, where a step took them: it clips before the next.
"""

import itertools
import json
import time

import command_line
import keras
import numpy as np
from PIL import Image, ImageDraw

import kerasgan
from kerasgan import backend, pictures
from kerasgan.bench.environment import describe
from kerasgan.callbacks import CollapseGuard, Scores
from kerasgan.metrics import extractors

SIZE, IMAGES, BATCH, MEASURED, SHOWN = 32, 10_000, 64, 256, 100
COLLAPSED = 0.1  # The diversity that a collapsed model does not have again.
ADAM, RMSPROP = "Adam 2e-4, beta_1 0.5", "RMSProp 3e-4"
MODELS = {  # What it is, what it is given, and its optimizers.
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
    """Logs what the critic says after each epoch, and keeps a hundred images."""

    def __init__(self):
        super().__init__()
        self.grids = []

    def on_epoch_end(self, epoch, logs=None):
        gan = self.model
        images = gan.images_of(gan.latent_vectors(MEASURED, 1), raw=True)
        images = keras.ops.convert_to_tensor(images)
        wgan = isinstance(gan, kerasgan.WGAN)
        loss = (lambda x: -x) if wgan else (lambda x: keras.ops.softplus(-x))
        before = gan.critic.get_weights()  # Its batch normalisation is measured as it trains.
        slopes = backend.gradient(lambda x: loss(gan.critic(x, training=True)), images)
        gan.critic.set_weights(before)
        slopes = keras.ops.convert_to_numpy(slopes)
        logs["gradient"] = float(np.sqrt(np.square(slopes).sum(axis=(1, 2, 3))).mean())
        played = logs["critic_loss"]
        logs["distance"] = float(-played if wgan else np.log(2) - played / 2)
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
    # A network of ImageNet's would take longer than the training, on a CPU.
    near = extractors.RandomProjection(64)
    metrics = ["frechet_distance", "coverage"]
    scores = Scores(data, metrics=metrics, samples=2000, extractor=near)
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
    """Return the first epoch of those at the end that all lack diversity, or None."""
    lacking = list(itertools.takewhile(lambda value: value < COLLAPSED, reversed(diversity)))
    return len(diversity) - len(lacking) + 1 if lacking else None


def ranks(values):
    """Return the place of each value in their order."""
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
            draw = ImageDraw.Draw(frame)
            colour, text = "black", f"{name}, epoch {i + 1}"
            if fallen(model, i):
                colour, text = "red", f"{text}: collapsed"
                draw.rectangle((0, 20, frame.width - 1, frame.height - 1), fill=colour)
            frame.paste(part, (4, 22))
            draw.text((4, 4), text, fill=colour)
            parts.append(frame)
        step = parts[0].width + 8
        whole = Image.new("RGB", (step * len(parts) - 8, parts[0].height), "white")
        for k, part in enumerate(parts):
            whole.paste(part, (k * step, 0))
        found.append(whole)
    return found


def draw(result, grids, path):
    """Write the picture: six moments of each, and the curves below."""
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


def main():
    """Train all three, print and write the figures, and draw them."""
    options = command_line.arguments(__doc__, epochs=30, seed=0)
    data = kerasgan.data.load("avatars", image_size=SIZE, limit=IMAGES, batch_size=BATCH)
    result = {
        "protocol": f"{IMAGES:,} drawn faces of {SIZE} pixels, batches of {BATCH}, "
        f"{options.epochs} epochs",
        "seed": options.seed,
        "environment": describe(keras.backend.backend()),
        "models": {},
    }
    grids = {}
    for name in MODELS:
        found, grids[name] = train(name, data, options.epochs, options.seed)
        result["models"][name] = {**found, "summary": summary(found)}
        print(name, result["models"][name]["summary"])
    path = options.out / f"gan_against_wgan-{options.seed}.json"
    path.write_text(json.dumps(result, indent=1, default=float) + "\n", encoding="utf-8")
    draw(result, grids, path.with_suffix(".png"))
    first, *others = frames(result, grids)
    first.save(
        path.with_suffix(".webp"), save_all=True, append_images=others, duration=300, loop=0,
        quality=30, method=6,
    )  # fmt: skip


if __name__ == "__main__":
    main()
