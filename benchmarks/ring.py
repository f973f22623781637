"""A ring of eight Gaussians over time, one row of pictures a variant.

    python benchmarks/ring.py [--models gan wgan_gp] [--steps 10000] [--seed 0] [--out DIR]

It writes `ring.png`, and `ring/` with the figures of each row as JSON and the points of its
pictures beside them, by default into `benchmarks/results/`. A row that was finished with the same
settings is kept and not trained again. One seed illustrates; it does not rank the variants.

The data are those of PacGAN's experiment (Lin et al. 2018, https://arxiv.org/abs/1712.04086): eight
equally likely modes on a circle of radius 1, standard deviation 0.01, fresh points in every batch
of 128. The networks are those of the ring of Unrolled GAN (Metz et al. 2017,
https://arxiv.org/abs/1611.02163), with which a plain GAN loses modes: 256 latent numbers, two
hidden layers of 128 tanh units in either network, orthogonal initial weights of gain 1.4. They are
the same for every variant but for the critic's input under packing. Adam in both networks, 1e-3
falling to 1e-4 along a cosine, beta_2 0.99; `ROWS` holds what else differs. Every variant
takes as many steps of either network on the same points: WGAN-GP too, with one critic step for
each of the generator and not five, and with the penalty's weight of its authors' toy code.

At eight moments 2,500 points are scored, of the moving average of the generator:

- modes: those with at least one point within 3 standard deviations of their centre;
- high quality: the share of points within 3 standard deviations of a centre. Real points reach
  1 - exp(-9/2) = 98.89 %; more means that modes are too narrow;
- reverse KL: from the points, each counted at its nearest mode, to eight equal modes, in nats. For
  real points it is 7 / (2 * 2500) = 0.0014 on average. Read it with the share of high quality: a
  round cloud without any mode has a small one too.

KERAS_BACKEND=jax is the fastest for such small networks on a CPU, and is set here where the
variable is not.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

import kerasgan
from kerasgan.bench.environment import describe
from kerasgan.penalties import R1, R2

MODES, RADIUS, SIGMA = 8, 1.0, 0.01
LATENT, WIDTH, DEPTH, BATCH = 256, 128, 2, 128
SAMPLES, DRAWN = 2500, 600
FLOORS = {
    "modes": MODES,
    "high quality": 1 - math.exp(-4.5),
    "reverse KL": (MODES - 1) / (2 * SAMPLES),
}
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)  # Of the steps, where we look.
# Title, class, its arguments beside the networks, Adam's beta_1 (0 where the paper has 0).
ROWS = {
    "gan": ("GAN", "GAN", {}, 0.5),
    "unrolled_gan": ("Unrolled GAN,\n5 steps", "UnrolledGAN", {"unrolled_steps": 5}, 0.5),
    "pacgan": ("PacGAN,\n2 points", "PacGAN", {"packing": 2}, 0.5),
    "wgan_gp": ("WGAN-GP", "WGANGP", {"gp_weight": 0.1, "n_critic": 1}, 0.0),
    "gan_r1_r2": ("GAN + R1 + R2", "GAN", {"r1": 0.01, "r2": 0.01}, 0.0),
    "relativistic_r1_r2": (
        "Relativistic GAN\n+ R1 + R2",
        "GAN",
        {"loss": "relativistic", "r1": 0.01, "r2": 0.01},
        0.0,
    ),
    "r3gan": ("R3GAN", "R3GAN", {"gamma": 0.1, "final_gamma": 0.01}, 0.0),
}


def centres():
    """Return the centres of the modes, `(8, 2)`; the angle 2 pi is that of 0 and not one more."""
    angles = 2 * np.pi * np.arange(MODES) / MODES
    return RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def real_points(n, seed):
    """Return `n` points of the ring, float32 `(n, 2)`."""
    draw = np.random.default_rng(seed)
    points = centres()[draw.integers(MODES, size=n)] + SIGMA * draw.standard_normal((n, 2))
    return points.astype("float32")


def score(points):
    """Return modes covered, high-quality share and reverse KL of points `(n, 2)`."""
    distances = np.linalg.norm(points[:, None] - centres(), axis=2)
    nearest, good = distances.argmin(axis=1), distances.min(axis=1) < 3 * SIGMA
    share = np.bincount(nearest, minlength=MODES) / len(points)
    share = share[share > 0]
    return {
        "modes": len(np.unique(nearest[good])),
        "high quality": float(good.mean()),
        "reverse KL": float(np.sum(share * np.log(share * MODES))),
    }


class Ring(keras.utils.PyDataset):
    """Batches `first` to `last` of fresh real points, each drawn from the seed and its number."""

    def __init__(self, first, last, seed):
        super().__init__()
        self.first = first
        self.last = last
        self.seed = seed

    def __len__(self):
        return self.last - self.first

    def __getitem__(self, index):
        return (real_points(BATCH, [self.seed, self.first + index]),)


def network(inputs, outputs, seed):
    """Return a plain network from `(batch_size, inputs)` to `(batch_size, outputs)`."""
    x = start = keras.Input((inputs,))
    for layer in range(DEPTH + 1):
        weights = keras.initializers.Orthogonal(gain=1.4, seed=100 * seed + layer)
        hidden = layer < DEPTH
        x = keras.layers.Dense(
            WIDTH if hidden else outputs, "tanh" if hidden else None, kernel_initializer=weights
        )(x)
    return keras.Model(start, x)


def build(row, steps, seed):
    """Return a compiled model for a row of `ROWS`."""
    _, variant, arguments, beta_1 = ROWS[row]
    arguments = dict(arguments)
    penalties = [p(arguments.pop(p.name)) for p in (R1, R2) if p.name in arguments]
    if variant == "R3GAN":  # It brings a schedule of its own for all that the others keep.
        arguments |= {"burn_in": steps, "alpha": 1e-3, "final_alpha": 1e-4}
    packing = arguments.get("packing", 1)
    gan = getattr(kerasgan, variant)(
        network(LATENT, 2, 2 * seed),
        network(2 * packing, 1, 2 * seed + 1),
        penalties=penalties,
        seed=seed,
        **arguments,
    )
    pair = [
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(1e-3, steps // turns, alpha=0.1),
            beta_1=beta_1,
            beta_2=0.99,
        )
        for turns in (gan.n_critic, 1)
    ]
    gan.compile(*(() if variant == "R3GAN" else pair))
    return gan


def settings(row, steps, seed):
    """Return what a row's figures depend on, as its JSON holds it."""
    _, variant, arguments, beta_1 = ROWS[row]
    return {
        "model": row,
        "class": variant,
        "arguments": arguments,
        "beta_1": beta_1,
        "steps": steps,
        "batch_size": BATCH,
        "optimizer": "Adam, 1e-3 to 1e-4 along a cosine",
        "shares of the steps": list(SHARES),
        "seed": seed,
        "samples": SAMPLES,
        "ring": {"modes": MODES, "radius": RADIUS, "sigma": SIGMA},
        "networks": f"{LATENT} latent numbers, {DEPTH} hidden layers of {WIDTH} tanh units",
    }


def train(row, steps, seed):
    """Return the figures of a row, and its points at each moment `(8, 2500, 2)`."""
    gan = build(row, steps, seed)
    moments, points, seen, seconds = [], [], 0, 0.0
    for share in SHARES:
        until = max(seen + 1, round(share * steps))
        start = time.perf_counter()
        gan.fit(Ring(seen, until, seed), verbose=0)
        seconds += time.perf_counter() - start
        seen = until
        points.append(gan.sample(SAMPLES, seed=seed))
        moment = {"step": seen, "generator steps": gan.generator_steps, **score(points[-1])}
        moments.append({**moment, "seconds": round(seconds, 1)})
        print(f"{row:20} {_words(moment)} after {seen:6} steps, {seconds:.0f} s", flush=True)
    figures = {
        **settings(row, steps, seed),
        "moments": moments,
        "floor": FLOORS,
        "real points": score(real_points(SAMPLES, [seed, steps])),
        "environment": describe(keras.backend.backend()),
    }
    return figures, np.stack(points)


def _words(moment):
    return f"{moment['modes']} modes, {moment['high quality']:.1%}, KL {moment['reverse KL']:.4f}"


def finished(folder, row, steps, seed):
    """Return a row's figures and points if they were made with these settings, or None."""
    try:
        figures = json.loads((folder / f"{row}.json").read_text())
        with np.load(folder / f"{row}.npz") as file:
            points = file["points"]
    except OSError:
        return None
    wanted = settings(row, steps, seed)
    return (figures, points) if wanted.items() <= figures.items() else None


def draw(rows, path):
    """Write the picture: one row a variant, one column a moment, and real points at the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = len(SHARES) + 1
    figure, grid = plt.subplots(
        len(rows),
        columns,
        figsize=(1.75 * columns, 2.05 * len(rows) + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for number, (figures, points) in enumerate(rows):
        real = real_points(SAMPLES, [figures["seed"], figures["steps"]])
        panels = [*zip(figures["moments"], points, strict=True), (figures["real points"], real)]
        for column, (axes, (moment, shown)) in enumerate(zip(grid[number], panels, strict=True)):
            last = column == columns - 1
            axes.plot(*centres().T, "o", mfc="none", mec="0.75", ms=9, zorder=1)
            colour = "tab:green" if last else "tab:blue"
            axes.plot(*shown[:DRAWN].astype("float32").T, ".", color=colour, ms=2, alpha=0.5)
            axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xticks=[], yticks=[], aspect="equal")
            axes.spines[:].set_color("0.85")
            whole = moment["modes"] == MODES
            axes.set_xlabel(
                f"{moment['modes']} modes, {moment['high quality']:.0%}\n"
                f"KL {moment['reverse KL']:.3f}",
                fontsize=8,
                color="black" if whole else "tab:red",
            )
            if number == 0:
                axes.set_title("real points" if last else f"step {moment['step']:,}", fontsize=10)
        title = ROWS[figures["model"]][0]
        grid[number][0].set_ylabel(title, fontsize=10, fontweight="bold")
    figure.suptitle(
        "Modes covered (red: fewer than eight), share of points within 3 standard deviations of a "
        "mode, reverse KL to eight equal modes",
        fontsize=11,
    )
    figure.savefig(path, dpi=85)
    plt.close(figure)


def main():
    """Train the rows that are not there yet, and draw all that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--steps", type=int, default=10000, help="of the critic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    folder = options.out / "ring"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in options.models:
        done = finished(folder, row, options.steps, options.seed)
        if done is None:
            figures, points = train(row, options.steps, options.seed)
            done = figures, points[:, :DRAWN].astype("float16")
            np.savez_compressed(folder / f"{row}.npz", points=done[1])
            (folder / f"{row}.json").write_text(json.dumps(figures, indent=2) + "\n")
        else:
            print(f"{row:20} {_words(done[0]['moments'][-1])}, kept from an earlier run")
        rows.append(done)
    draw(rows, options.out / "ring.png")


if __name__ == "__main__":
    main()
