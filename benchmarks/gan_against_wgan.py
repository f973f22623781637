"""A GAN against a WGAN on drawn faces: a hundred images an epoch, and what each critic says.

    python benchmarks/gan_against_wgan.py [--epochs 40] [--seed 0] [--out DIR]

It writes `gan_against_wgan.json`, `.png` and `.webp`, by default into `benchmarks/results/`.

As section 4.3 of Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875: a generator of dense
layers, four of 512 units with ReLU and no normalisation, against the critic of a DCGAN; networks,
images and critic steps are the same for both, and each has the optimizer of its paper. After each
epoch:

- a grid of the same hundred latent vectors, and the guard's look (it only warns here): `diversity`
  is 1 for real images, and an alarm marks the collapse;
- `distance`, what the critic's loss estimates: the Jensen-Shannon divergence (log 2 - loss / 2) or
  the Wasserstein distance in units of the critic's steepness. Its rank correlation with the Fréchet
  distance over the epochs says whether the loss tells how good the images are;
- `gradient`, what the generator's loss sends to a generated image: its mean norm over 256;
- `largest_weight` of the critic's kernels, and `at_bound`, the share of them that WGAN's clipping
  holds at its bound.
"""

import json
import time

import command_line
import keras
import numpy as np
from PIL import Image, ImageDraw

import kerasgan
from kerasgan import backend, losses, pictures
from kerasgan.bench.environment import describe
from kerasgan.callbacks import CollapseGuard, Scores
from kerasgan.metrics import extractors

SIZE, IMAGES, BATCH, MEASURED, SHOWN = 32, 10_000, 64, 256, 100
CLIP = 0.01
MODELS = {
    "GAN": (kerasgan.GAN, {"loss": "non_saturating"}, "Adam 2e-4, beta_1 0.5"),
    "WGAN": (kerasgan.WGAN, {"clip": CLIP, "n_critic": 5}, "RMSProp 5e-5, clip 0.01, n_critic 5"),
}


class Critic(keras.callbacks.Callback):
    """Logs what the critic says after each epoch, and keeps a hundred images."""

    def __init__(self, data):
        super().__init__()
        self.real = np.asarray(kerasgan.data.from_uint8(data.images[:MEASURED]))
        self.grids = []

    def on_epoch_end(self, epoch, logs=None):
        gan = self.model
        images = gan.images_of(gan.latent_vectors(MEASURED, 1), raw=True)
        scores = [np.asarray(gan.critic.predict(x, verbose=0)) for x in (self.real, images)]
        slopes = keras.ops.convert_to_numpy(
            backend.gradient(gan.critic, keras.ops.convert_to_tensor(images))
        )
        slopes = np.sqrt(np.square(slopes).sum(axis=(1, 2, 3)))
        weights = [w.ravel() for w in gan.critic.get_weights() if w.ndim > 1]
        weights = np.abs(np.concatenate(weights))
        if isinstance(gan, kerasgan.WGAN):
            distance = -float(losses.wasserstein_critic(*scores)) / float(slopes.mean())
            gradient = slopes
        else:
            distance = float(np.log(2) - losses.minimax_critic(*scores) / 2)
            gradient = slopes / (1 + np.exp(scores[1][:, 0]))  # Of -log D: (1 - D) times D's.
        logs["distance"], logs["gradient"] = distance, float(gradient.mean())
        logs["largest_weight"] = float(weights.max())
        bound = getattr(gan, "clip", np.inf)
        logs["at_bound"] = float((weights >= 0.999 * bound).mean())
        self.grids.append(pictures.grid(gan.sample(SHOWN, seed=7)))


def train(name, data, epochs, seed):
    """Train one of the two and return its figures and a picture for each epoch."""
    variant, arguments, optimizer = MODELS[name]
    shared = {"image_size": SIZE, "channels": 3}
    generator, _ = kerasgan.networks.mlp(**shared, width=512, depth=4)
    _, critic = kerasgan.networks.dcgan(**shared, width=32)
    gan = variant(generator, critic, seed=seed, **arguments)
    gan.compile()
    watch = Critic(data)
    guard = CollapseGuard("warn", samples=1000)
    # A network of ImageNet's would take longer than the training, on a CPU.
    near = extractors.RandomProjection(64)
    metrics = ["frechet_distance", "coverage"]
    scores = Scores(data, metrics=metrics, samples=2000, extractor=near)
    began = time.perf_counter()
    history = gan.fit(data, epochs=epochs, verbose=2, callbacks=[guard, scores, watch]).history
    alarms = [d.epoch for d in guard.journal.decisions]
    return {
        "optimizer": optimizer,
        "parameters": [generator.count_params(), critic.count_params()],
        "critic_steps": gan.critic_steps,
        "seconds": round(time.perf_counter() - began),
        "alarms": alarms,
        "real": {r.name: r.baseline for r in scores.results},
        "epochs": {key: [float(v) for v in values] for key, values in history.items()},
    }, watch.grids


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


def frames(result, grids):
    """Return a picture for each epoch: both grids side by side, in red from an alarm on."""
    found = []
    for i in range(len(grids["GAN"])):
        halves = []
        for name, model in result["models"].items():
            half = pictures.picture(grids[name][i])
            frame = Image.new("RGB", (half.width + 8, half.height + 26), "white")
            fallen = any(epoch <= i + 1 for epoch in model["alarms"])
            draw = ImageDraw.Draw(frame)
            if fallen:
                draw.rectangle((0, 20, frame.width - 1, frame.height - 1), fill="red")
            frame.paste(half, (4, 22))
            text = f"{name}, epoch {i + 1}{': collapsed' if fallen else ''}"
            draw.text((4, 4), text, fill="red" if fallen else "black")
            halves.append(frame)
        both = Image.new("RGB", (sum(h.width for h in halves) + 8, halves[0].height), "white")
        both.paste(halves[0], (0, 0))
        both.paste(halves[1], (halves[0].width + 8, 0))
        found.append(both)
    return found


def draw(result, grids, path):
    """Write the picture: six moments of each, and the curves below."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    epochs = len(grids["GAN"])
    moments = np.unique(np.linspace(0, epochs - 1, 6).round().astype(int))
    figure = plt.figure(figsize=(10, 7.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(4, 3))
    rows = upper.subplots(2, len(moments))
    part = 5 * (SIZE + 1) - 1
    for row, (name, model) in zip(rows, result["models"].items(), strict=True):
        for axes, i in zip(row, moments, strict=True):
            axes.imshow(grids[name][i][:part, :part])
            fallen = any(epoch <= i + 1 for epoch in model["alarms"])
            axes.set_title(
                f"epoch {i + 1}{': collapsed' * fallen}", fontsize=9, color="r" * fallen or "k"
            )
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
    curves = lower.subplots(1, 3)
    for axes, key in zip(curves, ("diversity", "distance", "gradient"), strict=True):
        for name, model in result["models"].items():
            line = axes.plot(range(1, epochs + 1), model["epochs"][key], label=name)
            for epoch in model["alarms"]:
                axes.axvline(epoch, color=line[0].get_color(), ls=":")
        axes.set(xlabel="epoch", title=key)
        axes.grid(color="0.9")
    curves[0].axhline(1.0, color="0.6", ls="--")
    curves[2].set_yscale("log")
    curves[0].legend(frameon=False)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main():
    """Train both, print and write the figures, and draw them."""
    options = command_line.arguments(__doc__, epochs=40, seed=0)
    keras.utils.set_random_seed(options.seed)
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
    path = options.out / "gan_against_wgan.json"
    path.write_text(json.dumps(result, indent=1, default=float) + "\n", encoding="utf-8")
    draw(result, grids, path.with_suffix(".png"))
    first, *others = frames(result, grids)
    first.save(
        path.with_suffix(".webp"), save_all=True, append_images=others, duration=300, loop=0,
        quality=60, method=6,
    )  # fmt: skip


if __name__ == "__main__":
    main()
