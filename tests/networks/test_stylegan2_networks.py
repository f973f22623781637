"""StyleGAN2's networks: the same numbers as in the authors' code, and sizes of all kinds.

The golden arrays were written by the authors' networks (NVlabs/stylegan2-ada-pytorch, PyTorch 2.13)
with the weights that stand beside them.
"""

import pathlib

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import backend, networks
from kerasgan.networks import style_parts
from kerasgan.penalties import PathLength, PenaltyInputs, zero_centred_penalty

GOLDEN = pathlib.Path(__file__).with_name("stylegan2_golden.npz")
CASES = {
    "skip": {"image_size": 16, "channels": 3, "latent_dim": 5, "channel_max": 6},
    "residual": {
        "image_size": 8,
        "channels": 4,
        "latent_dim": 4,
        "channel_max": 5,
        "mapping_layers": 3,
        "num_classes": 3,
        "generator_architecture": "residual",
        "critic_architecture": "skip",
        "critic_mapping_layers": 2,
    },
    "plain": {
        "image_size": 8,
        "channels": 1,
        "latent_dim": 4,
        "channel_max": 4,
        "mapping_layers": 1,
        "generator_architecture": "plain",
        "critic_architecture": "plain",
    },
}


@pytest.fixture(params=CASES)
def golden(request):
    """Return networks with the golden weights, the labels of four images, and the arrays."""
    case = CASES[request.param]
    with np.load(GOLDEN) as file:
        start = f"{request.param}/"
        arrays = {k.removeprefix(start): file[k] for k in file if k.startswith(start)}
    pair = networks.stylegan2(**case, channel_base=64)
    for name, network in zip(("generator", "critic"), pair, strict=True):
        weights = {k: v for k, v in arrays.items() if k.startswith(name)}
        network.set_weights([weights[key] for key in sorted(weights)])
    classes = case.get("num_classes")
    labels = None if classes is None else (np.arange(4) % classes).astype("int32")
    return *pair, labels, arrays


def close(found, expected, rtol=1e-4):
    found = ops.convert_to_numpy(found)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.std(expected) + 1e-7)


def with_labels(x, labels):
    return x if labels is None else [ops.convert_to_tensor(x), ops.convert_to_tensor(labels)]


def styles(generator, z, labels):
    w = generator.mapping(z) if labels is None else generator.mapping(z, labels)
    return w, ops.repeat(w[:, None], generator.synthesis.styles, axis=1)


def test_images_are_the_authors(golden):
    generator, critic, labels, arrays = golden
    gan = kerasgan.StyleGAN2(generator, critic, ema=None)
    for key, expected in arrays.items():
        if key.startswith("images"):
            _, mode, truncation = key.split("/")
            noise = {"const": "constant", "none": "none"}[mode]
            options = {"noise": noise, "truncation": float(truncation)}
            # Theirs are cut where they are written.
            close(gan.decode_latents(arrays["z"], labels, **options), np.clip(expected, -1, 1))
    close(styles(generator, arrays["z"], labels)[0], arrays["w"])
    whole = generator(with_labels(arrays["z"], labels))
    close(whole, arrays["images/const/1"])


def test_scores_and_r1_are_the_authors(golden):
    _, critic, labels, arrays = golden
    x = ops.convert_to_tensor(arrays["x"])
    close(critic(with_labels(x, labels)), arrays["scores"])
    kernel = critic.get_layer("last_conv").kernel
    value, (gradient,) = backend.value_and_grad(
        lambda: zero_centred_penalty(lambda x: critic(with_labels(x, labels)), x), [kernel]
    )
    close(value, arrays["r1"])
    close(gradient, arrays["r1_gradient"], 1e-3)


def test_path_lengths_are_the_authors(golden):
    generator, _, labels, arrays = golden
    penalty = PathLength(part=1)
    penalty.build(lambda **options: keras.Variable(0.3, trainable=False))
    inputs = PenaltyInputs(
        real=None,
        fake=ops.convert_to_tensor(arrays["x"]),
        z=ops.convert_to_tensor(arrays["z"]),
        labels=labels,
        training=True,
        scores=None,
        generate=None,
        image_shape=arrays["x"].shape[1:],
        stages=lambda rows: (styles(generator, arrays["z"], labels)[1], generator.synthesis),
        noise=lambda *shape: ops.convert_to_tensor(arrays["path_noise"]),
    )
    close(penalty.lengths(inputs, 4), arrays["path_lengths"])
    block = generator.synthesis.blocks[1]
    value, (gradient,) = backend.value_and_grad(lambda: penalty(inputs), [block.refine.kernel])
    close(value, arrays["path_penalty"])
    close(gradient, arrays["path_gradient"], 1e-3)
    mean = arrays["path_lengths"].mean()
    close(penalty.average, 0.3 + 0.01 * (mean - 0.3))


@pytest.mark.parametrize(
    "size",
    [12, (24, 40), *(pytest.param(n, marks=pytest.mark.slow) for n in (8, 28, 40, 48, 96, 256))],
)
def test_sizes(size):
    height, width = (size, size) if isinstance(size, int) else size
    generator, critic = networks.stylegan2(
        size, 1, latent_dim=4, channel_base=64, channel_max=4, mapping_layers=1
    )
    images = generator(np.zeros((2, 4), "float32"))
    assert images.shape == (2, height, width, 1) and critic(images).shape == (2, 1)
    first = generator.synthesis.levels[0].sides
    assert all(3 <= side <= 7 for side in first)
    assert generator.synthesis.noise_sides[-1] == (height, width)


@pytest.mark.parametrize("size", [(64, 16), 4, 5, 9, 72, (64, 64, 3), 0, 64.5, "64"])
def test_sizes_that_are_refused(size):
    with pytest.raises(ValueError, match="`image_size` must be"):
        networks.stylegan2(size, latent_dim=4)


def test_widths_are_the_authors():
    generator, critic = networks.stylegan2(64, latent_dim=8, channel_base=2048, channel_max=64)
    assert [level.features for level in generator.synthesis.levels] == [64, 64, 64, 64, 32]
    assert critic.get_layer("level_0_first").filters == 32
    # As min(channel_base // side, 512) of their networks.py, with the base of their "auto".
    for size, expected in ((256, [512] * 4 + [256, 128, 64]), (512, [512] * 5 + [256, 128, 64])):
        found = style_parts.levels(size, None, 512, 4)
        assert [level.features for level in found] == expected


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_reduced_precision_is_that_of_the_largest_maps(policy):
    keras.config.set_dtype_policy(policy)
    try:
        pair = networks.stylegan2(32, latent_dim=8, channel_base=256, channel_max=8, reduced=2)
    finally:
        keras.config.set_dtype_policy("float32")
    generator, critic = pair
    found = [block.refine.compute_dtype for block in generator.synthesis.blocks]
    assert found == ["float32"] * 2 + [policy.removeprefix("mixed_")] * 2
    assert critic.get_layer("level_1_first").compute_dtype == policy.removeprefix("mixed_")
    assert critic.get_layer("last_conv").compute_dtype == "float32"
    whole = networks.stylegan2(32, latent_dim=8, channel_base=256, channel_max=8)
    for reduced, full in zip(pair, whole, strict=True):
        full.set_weights(reduced.get_weights())
    z = np.random.default_rng(0).standard_normal((4, 8)).astype("float32")
    images, expected = (ops.convert_to_numpy(g(z)) for g in (generator, whole[0]))
    assert images.dtype == "float32"
    assert 0 < np.abs(images - expected).mean() < 0.05 * expected.std()
    scores = [ops.convert_to_numpy(d(expected)) for d in (critic, whole[1])]
    np.testing.assert_allclose(*scores, atol=0.1 * np.abs(scores[1]).max())


@pytest.mark.parametrize("longest", [0, 256])
def test_resampling_is_the_filter_of_the_authors(longest, monkeypatch):
    from kerasgan import filters
    from kerasgan.layers import resample

    monkeypatch.setattr(filters, "LONGEST_PRODUCT", longest)
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 3)).astype("float32")
    filter = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    for form in ("channels_last", "channels_first"):
        given = ops.convert_to_tensor(x if form == "channels_last" else x.transpose(0, 3, 1, 2))

        def shaped(found, form=form):
            found = ops.convert_to_numpy(found)
            return found if form == "channels_last" else found.transpose(0, 2, 3, 1)

        wide = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
        smoothed = filtered(wide, filter)
        np.testing.assert_allclose(shaped(resample.smoothed(given, 2, form)), smoothed, atol=1e-6)
        halved = filtered(wide[:, 1:-1, 1:-1], filter)[:, ::2, ::2]
        np.testing.assert_allclose(shaped(resample.halved(given, form)), halved, atol=1e-6)
        zeros = np.zeros((2, 12, 8, 3), "float32")
        zeros[:, ::2, ::2] = x
        doubled = filtered(np.pad(zeros, ((0, 0), (2, 1), (2, 1), (0, 0))), 4 * filter)
        np.testing.assert_allclose(shaped(resample.doubled(given, form)), doubled, atol=1e-6)


def filtered(x, filter):
    """Return a filter's sums over all places where it fits."""
    views = np.lib.stride_tricks.sliding_window_view(x, filter.shape, axis=(1, 2))
    return np.einsum("nhwcij,ij->nhwc", views, filter)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_dim": 0}, "`latent_dim` must be a positive integer"),
        (
            {"mapping_layers": 10**6},
            "`mapping_layers` must be an integer of at least 1 and of at most",
        ),
        ({"channel_max": 1.5}, "`channel_max` must be a positive integer"),
        ({"channel_base": -1}, "`channel_base` must be a positive integer"),
        ({"channels": 0}, "`channels` must be a positive integer"),
        ({"generator_architecture": "stair"}, "`generator_architecture` must be one of"),
        ({"critic_architecture": None}, "`critic_architecture` must be one of"),
        ({"reduced": -1}, "`reduced` must be a positive integer"),
        ({"group_size": 0}, "`group_size` must be a positive integer"),
        ({"clamp": 0.0}, "`clamp` must be a positive number"),
        ({"image_size": 10**9}, "`image_size` must be .*from 1 to 4,096 pixels"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        networks.stylegan2(**{"image_size": 8, "latent_dim": 4, "channel_base": 64, **options})
