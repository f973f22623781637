"""What `evaluate` measures, computed by NumPy from the scores of the model's networks."""

import numpy as np
from keras import ops

from kerasgan import backend


def softplus(x):
    return np.logaddexp(0.0, x)


def minimax(real, fake):
    return softplus(-real).mean() + softplus(fake).mean()


def wasserstein(real, fake):
    return fake.mean() - real.mean()


def relativistic(real, fake):
    return softplus(fake - real).mean()


# The losses of both players of the real and the generated scores.
LOSSES = {
    "non_saturating": (minimax, lambda real, fake: softplus(-fake).mean()),
    "minimax": (minimax, lambda real, fake: -minimax(real, fake)),
    "hinge": (
        lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        lambda real, fake: -fake.mean(),
    ),
    "wasserstein": (wasserstein, lambda real, fake: -fake.mean()),
    "relativistic": (relativistic, lambda real, fake: relativistic(fake, real)),
}


def packs(images, m):
    """Stack each `m` neighbours along the channels."""
    n, *space, channels = images.shape
    stacked = np.moveaxis(images.reshape(n // m, m, *space, channels), 1, -2)
    return stacked.reshape(n // m, *space, m * channels)


def adversarial_losses(gan, images, labels=None):
    """Return the critic's and the generator's loss on one batch, without penalties.

    The latent vectors are the next that the model draws, and the seeds are put back: `evaluate`
    draws the same. The minimax generator is UnrolledGAN's, which looks at the whole objective.
    """
    seeds = ops.convert_to_numpy(gan.seed_generator.state).copy()
    z = gan.draw_latents(len(images))
    gan.seed_generator.state.assign(seeds)

    def run(network, x):
        x = ops.convert_to_tensor(x)
        given = x if labels is None else [x, ops.convert_to_tensor(labels.astype("int32"))]
        return ops.convert_to_numpy(backend.forward(network, given)).astype("float64")

    fake = run(gan.generator, z[:, : gan.latent_dim] if len(gan.latent_shape) == 1 else z)
    pair = (packs(np.asarray(x, "float32"), gan.packing) for x in (images, fake))
    real, fake = (run(gan.critic, x) for x in pair)
    critic_loss, generator_loss = LOSSES[gan.adversarial_loss.name]
    return critic_loss(real, fake), generator_loss(real, fake)


def assert_held_out_losses(gan, images, labels=None):
    """Check what `evaluate` returns for one batch, and return it."""
    expected = dict(
        zip(("critic_loss", "generator_loss"), adversarial_losses(gan, images, labels), strict=True)
    )
    found = gan.evaluate(images, labels, batch_size=len(images), verbose=0)
    for penalty in gan.penalties:
        expected[f"{penalty.player}_loss"] += penalty.weight * found[penalty.name]
    if "mutual_information" in found:  # InfoGAN: both players gain by it.
        expected = {name: loss - found["mutual_information"] for name, loss in expected.items()}
    if "reconstruction" in found:  # FastGAN.
        expected["critic_loss"] += gan.reconstruction_weight * found["reconstruction"]
    if "bits_per_dimension" in found:  # FlowGAN: its generator has a likelihood.
        nats = found["bits_per_dimension"] * np.log(2) * gan.latent_dim
        adversarial = gan.adversarial_weight * expected["generator_loss"]
        expected["generator_loss"] = adversarial + gan.nll_weight * nats
    for name, value in {**expected, "loss": sum(expected.values())}.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    return found
