"""The gradient that a discriminator and a Wasserstein critic send to a generator far from the data.

    python benchmarks/two_gaussians.py [--steps 3000] [--gp-weights 10 100] [--seed 0]

It writes `two_gaussians.json` and `two_gaussians.png`.

The setting is that of figure 2 of Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875: real
points from N(-4, 1), generated ones from N(4, 1), and a generator that never changes. (It adds 4 to
its latent number, and `n_critic` is larger than the number of steps.) The critics are trained as
parts of `kerasgan` models: `GAN` with the minimax loss, and `WGANGP` with each weight of its
penalty. They have three hidden layers of 64 units with the smooth activation softplus. Adam's
learning rate falls from 1e-3 to 0 along a cosine; each batch has 512 fresh points.

These figures are measured on 20,000 fresh points of each kind:

- the gradient that reaches a generated point: of the discriminator D, of the minimax generator loss
  log(1 - D), of the non-saturating loss -log D, and of the critic f;
- the estimate of the Jensen-Shannon divergence, log 2 - loss / 2, and log 2 and the true value
  by numerical integration (the best discriminator has the loss 2 log 2 - 2 JS);
- the estimate of the Wasserstein-1 distance, E f(x) - E f(G(z)), and the true one, 8. The
  penalty has a finite weight, so the best critic is steeper than 1: its slope between two distant
  Gaussians in one dimension is 1 + W1 / (2 weight), where the derivative of the critic's loss by
  the slope is zero. The estimate divided by the critic's greatest slope on the line does not have
  this bias and is a lower bound;
- R^2 of the straight line nearest to the critic between the two means.
"""

import json
import time

import experiment
import keras
import numpy as np
from divergences import LOG2, js_of_gaussians, w1_of_gaussians

import kerasgan
from kerasgan import backend, losses
from kerasgan.environment import describe

TAKES = "2 minutes"
REAL, FAKE = -4.0, 4.0
WIDTH, DEPTH, BATCH, RATE, HELD_OUT = 64, 3, 512, 1e-3, 20000
LINE = np.linspace(-8.0, 8.0, 801, dtype="float32")[:, None]
GRADIENT = "mean |gradient| on generated points"
BETWEEN = (LINE[:, 0] >= REAL) & (LINE[:, 0] <= FAKE)


class Points(keras.utils.PyDataset):
    """Batches of fresh real points `(batch_size, 1)`, each generated from its seed and number."""

    def __init__(self, batches, seed):
        super().__init__()
        self.batches = batches
        self.seed = seed

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        return (normal([self.seed, index], BATCH) + np.float32(REAL),)


def normal(seed, n):
    """Return `n` standard normal numbers, float32 `(n, 1)`."""
    return np.random.default_rng(seed).standard_normal((n, 1), dtype="float32")


def generator():
    """Return a generator without weights: it adds the mean of the generated points."""
    z = keras.Input((1,))
    return keras.Model(z, keras.layers.Rescaling(1.0, offset=FAKE)(z))


def critic(seed):
    """Return a critic of points on a line; it shares no weights with another network."""
    x = inputs = keras.Input((1,))
    for layer in range(DEPTH):
        initializer = keras.initializers.GlorotNormal(seed=100 * seed + layer)
        x = keras.layers.Dense(WIDTH, "softplus", kernel_initializer=initializer)(x)
    initializer = keras.initializers.GlorotNormal(seed=100 * seed + DEPTH)
    return keras.Model(inputs, keras.layers.Dense(1, kernel_initializer=initializer)(x))


def trained(model, steps, seed):
    """Train the critic alone and return it with the seconds that it took."""
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(critic_optimizer=keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99))
    start = time.perf_counter()
    model.fit(Points(steps, seed), verbose=0)
    if model.generator_steps:
        raise RuntimeError(f"the generator was trained: {model.generator_steps} steps")
    return model.critic, time.perf_counter() - start


def scores_and_gradients(network, x):
    """Return a critic's scores of points `(n, 1)` and its gradients there, two float64 arrays."""
    x = keras.ops.convert_to_tensor(x)
    values = (network(x), backend.gradient(network, x))
    return tuple(np.asarray(keras.ops.convert_to_numpy(v), "float64")[:, 0] for v in values)


def sigmoid(scores):
    """Return D."""
    return np.exp(-np.logaddexp(0.0, -scores))


def discriminator_figures(network, real, fake):
    """Return the estimated divergence and the gradients at generated points."""
    real_scores = scores_and_gradients(network, real)[0]
    scores, slopes = scores_and_gradients(network, fake)
    d, slopes = sigmoid(scores), np.abs(slopes)
    loss = losses.minimax_critic(real_scores[:, None], scores[:, None])
    estimate = LOG2 - float(loss) / 2
    return {
        "loss": float(loss),
        GRADIENT: {
            "D": float(np.mean(d * (1 - d) * slopes)),
            "log(1 - D), the minimax loss": float(np.mean(d * slopes)),
            "-log D, the non-saturating loss": float(np.mean((1 - d) * slopes)),
        },
        "JS, estimated": estimate,
        "JS, true": js_of_gaussians(REAL, FAKE),
        "log 2": LOG2,
    }


def critic_figures(network, weight, real, fake):
    """Return the estimated distance and the gradients at generated points."""
    real_scores = scores_and_gradients(network, real)[0]
    scores, slopes = scores_and_gradients(network, fake)
    on_line, line_slopes = scores_and_gradients(network, LINE)
    estimate = -float(losses.wasserstein_critic(real_scores[:, None], scores[:, None]))
    greatest = float(np.abs(line_slopes).max())
    true = w1_of_gaussians(REAL, FAKE)
    return {
        "gp_weight": weight,
        GRADIENT: float(np.mean(np.abs(slopes))),
        "W1, estimated": estimate,
        "W1, true": true,
        "slope that the penalty's optimum has": 1 + true / (2 * weight),
        "greatest |slope| on the line": greatest,
        "W1, estimated, by the greatest slope": estimate / greatest,
        "R^2 of a straight line between the means": r_squared(LINE[BETWEEN, 0], on_line[BETWEEN]),
    }


def r_squared(x, y):
    """Return the share of the variance of `y` that the straight line nearest to it explains."""
    return float(np.corrcoef(np.asarray(x, "float64"), y)[0, 1] ** 2)


def plot(discriminator, critic_network, result, path):
    """Plot both functions and the gradients of the generator's losses."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    x, red, blue = LINE[:, 0], "tab:red", "tab:blue"
    scores, slopes = scores_and_gradients(discriminator, LINE)
    d = sigmoid(scores)
    value, value_slopes = scores_and_gradients(critic_network, LINE)
    value = value - value[BETWEEN].mean()  # A critic is determined up to a constant.
    reaching = (
        result["discriminator"][GRADIENT]["log(1 - D), the minimax loss"],
        result["critics"][0][GRADIENT],
    )
    weight = result["critics"][0]["gp_weight"]
    figure, grid = plt.subplots(
        2, 2, figsize=(11, 6.4), sharex=True, layout="constrained", height_ratios=(3, 2)
    )
    for axes, y, colour, title in (
        (grid[0, 0], d, red, "Discriminator D(x): flat where the generated points are"),
        (grid[0, 1], value, blue, f"Wasserstein critic f(x), penalty weight {weight:g}: a ramp"),
    ):
        axes.plot(x, y, color=colour, lw=2.5)
        axes.set_title(title, fontweight="bold", color=colour)
    grid[0, 0].set_ylim(-0.04, 1.04)
    for axes, y, colour, name, mean in (
        (grid[1, 0], -d * slopes, red, "log(1 - D(x))", reaching[0]),
        (grid[1, 1], -value_slopes, blue, "-f(x)", reaching[1]),
    ):
        axes.plot(x, y, color=colour, lw=2.5)
        axes.set(xlabel="x", ylabel="gradient", title=f"Gradient of the generator's loss {name}")
        axes.set_ylim(-0.3, 1.15 * np.max(-d * slopes))
        number = f"{mean:.2f}" if mean > 0.01 else f"{mean:.1g}"
        axes.text(FAKE, mean + 1.0, f"{number} on generated points", color=colour, ha="center")
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(x[0], x[-1])
        behind = axes.twinx()
        for mean, colour, name in ((REAL, "tab:green", "real"), (FAKE, "tab:purple", "generated")):
            density = np.exp(-0.5 * (x - mean) ** 2)
            behind.fill_between(x, density, color=colour, alpha=0.18, lw=0)
            if axes in grid[0]:
                behind.text(mean, 0.2, name, color=colour, ha="center", fontsize=11)
        behind.set(ylim=(0, 2.5), yticks=[])
        behind.spines[:].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def run(steps=3000, gp_weights=(10.0, 100.0), seed=0, out=experiment.RESULTS):
    """Train all networks, write the figures, and plot them."""
    out.mkdir(parents=True, exist_ok=True)
    real = normal([seed, steps + 1], HELD_OUT) + np.float32(REAL)
    fake = normal([seed, steps + 2], HELD_OUT) + np.float32(FAKE)
    result = {
        "protocol": f"real N({REAL:g}, 1), generated N({FAKE:g}, 1), {steps} steps of "
        f"{BATCH} points",
        "held-out points of each kind": HELD_OUT,
        "seed": seed,
        "environment": describe(keras.backend.backend()),
    }
    shared = {"n_critic": steps + 1, "ema": None, "seed": seed}
    gan = kerasgan.GAN(generator(), critic(seed), loss="minimax", **shared)
    discriminator, seconds = trained(gan, steps, seed)
    figures = discriminator_figures(discriminator, real, fake)
    result["discriminator"] = {**figures, "seconds": round(seconds, 1)}
    critics, result["critics"] = [], []
    for weight in gp_weights:
        gan = kerasgan.WGANGP(generator(), critic(seed), gp_weight=weight, **shared)
        network, seconds = trained(gan, steps, seed)
        figures = critic_figures(network, weight, real, fake)
        result["critics"].append({**figures, "seconds": round(seconds, 1)})
        critics.append(network)
    (out / "two_gaussians.json").write_text(json.dumps(result, indent=2) + "\n")
    plot(discriminator, critics[0], result, out / "two_gaussians.png")


def table(folder=experiment.RESULTS):
    """Return the mean gradient at a generated point, a row for each function."""
    [found] = experiment.stored("two_gaussians.json", folder)
    discriminator = found["discriminator"]
    rows = [[what, f"{value:.2g}"] for what, value in discriminator[GRADIENT].items()]
    for one in found["critics"]:
        rows.append([f"f, WGAN-GP with weight {one['gp_weight']:g}", f"{one[GRADIENT]:.2g}"])
    js, true = discriminator["JS, estimated"], discriminator["JS, true"]
    last = found["critics"][-1]
    return (
        f"{experiment.markdown(['Function', 'Mean gradient at a generated point'], rows)}\n\n"
        f"Protocol: {found['protocol']}. Jensen-Shannon: estimated {js:.4f}, true {true:.4f}. "
        f"Wasserstein-1: estimated {last['W1, estimated']:.2f} with weight "
        f"{last['gp_weight']:g}, true {last['W1, true']:.2f}."
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--steps", type=int, default=3000, help="of each network")
    arguments.add_argument("--gp-weights", type=float, nargs="+", default=[10.0, 100.0])
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
