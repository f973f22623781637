"""InfoGAN's codes and its bound of the mutual information."""

import keras
import numpy as np
import pytest
from by_hand import packs
from keras import ops

import kerasgan
from kerasgan import backend
from kerasgan.adversarial import Batch
from kerasgan.gans.infogan import _mutual_information


@pytest.fixture
def gan():
    pair = kerasgan.networks.mlp(8, 1, latent_dim=12, width=8, depth=1)
    gan = kerasgan.InfoGAN(*pair, categorical=(3, 2), continuous=2)
    gan.compile()
    return gan


def check_codes(z):
    assert (np.abs(z[:, :5]) <= 1).all()
    for first, size in ((5, 3), (8, 2)):
        one_hot = z[:, first : first + size]
        np.testing.assert_array_equal(np.sort(one_hot, 1), np.eye(size)[[-1] * len(z)])
        assert one_hot.sum(0).min() > 0  # Every value comes.
    assert (np.abs(z[:, 10:]) <= 1).all() and z[:, 10:].std() > 0.3


def test_latent_vectors_hold_the_codes(gan):
    check_codes(ops.convert_to_numpy(gan.draw_latents(64)))
    check_codes(gan.latent_vectors(64, seed=0))


def test_information_equals_numpy(gan):
    z = gan.latent_vectors(6, seed=0)
    images = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype("float32")
    tensors = [ops.convert_to_tensor(a) for a in (images, z)]
    gan.info_weight, gan.continuous_weight = 0.7, 0.3
    found = gan._information(Batch(None, *tensors), training=False)
    read = ops.convert_to_numpy(gan.code_reader(gan.scorer.body.features(tensors[0])))
    log_q = 0.0
    for first, size in ((0, 3), (3, 2)):
        part = read[:, first : first + size]
        log_softmax = part - np.log(np.exp(part).sum(1, keepdims=True))
        code = z[:, 5 + first : 5 + first + size]
        log_q += np.mean((log_softmax * code).sum(1)) + np.log(size)
    normal = -0.5 * (z[:, 10:] - read[:, 5:]) ** 2 - 0.5 * np.log(2 * np.pi)
    expected = 0.7 * log_q + 0.3 * (normal.sum(1).mean() + 2 * np.log(2))
    assert float(found) == pytest.approx(expected, rel=1e-5)


class Flip(keras.layers.Layer):
    """Every image as its mirror image."""

    def __init__(self):
        super().__init__()
        self.built = True

    def transform(self, images, noise):
        return ops.flip(images, axis=2)


def viewed(**arguments):
    pair = kerasgan.networks.mlp(8, 1, latent_dim=12, width=8, depth=1)
    return kerasgan.InfoGAN(*pair, categorical=(3, 2), continuous=2, **arguments)


def reader(gan):
    """Return what Q makes of images, by NumPy's count."""
    return lambda images: ops.convert_to_numpy(gan.code_reader(gan.scorer.body.features(images)))


def test_information_reads_categories_in_views_and_numbers_in_images():
    gan = viewed(view_weight=1.0, views=Flip())
    z = gan.latent_vectors(6, seed=0)
    images = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype("float32")
    found = gan._information(
        Batch(None, ops.convert_to_tensor(images), ops.convert_to_tensor(z)), training=False
    )
    plain, mirrored = reader(gan)(images), reader(gan)(images[:, :, ::-1].copy())
    expected = -0.5 * np.square(z[:, 10:] - plain[:, 5:]).sum(1).mean()
    expected += 2 * np.log(2) - np.log(2 * np.pi)
    for first, size in ((0, 3), (3, 2)):
        part = mirrored[:, first : first + size]
        log_softmax = part - np.log(np.exp(part).sum(1, keepdims=True))
        code = z[:, 5 + first : 5 + first + size]
        expected += np.mean((log_softmax * code).sum(1)) + np.log(size)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def told(read, sizes):
    """Return what the categories of two equal views tell, by NumPy, in nats."""
    total, first = 0.0, 0
    for size in sizes:
        p = np.exp(read[:, first : first + size].astype("float64"))
        p /= p.sum(1, keepdims=True)
        joint = p.T @ p / len(p)
        total += (joint * np.log(joint / np.outer(joint.sum(1), joint.sum(0)))).sum()
        first += size
    return total


def test_view_information_equals_numpy():
    gan = viewed(view_weight=1.0, views=Flip())
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (64, 8, 8, 1)).astype("float32")
    gan.fit(images, batch_size=16, epochs=5, verbose=0)  # So that there is something to know.
    batch = Batch(ops.convert_to_tensor(images), None, None)
    expected = told(reader(gan)(images[:, :, ::-1].copy()), (3, 2))
    assert expected > 1e-4
    assert float(gan._view_information(batch, training=False)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2], np.log(3)),
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2, 0, 1, 2, 0, 1, 2], 0.0),
        # Symmetric, the joint counts are (2, 1, 1; 1, 2, 1; 1, 1, 2) / 12.
        ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 0], np.log(9 / 6) / 2 + np.log(9 / 12) / 2),
    ],
)
def test_mutual_information_of_readings(p, q, expected):
    found = _mutual_information(*(ops.one_hot(np.array(codes), 3) for codes in (p, q)))
    assert float(found) == pytest.approx(expected, abs=1e-4)


def test_the_critic_gains_by_what_views_tell():
    gan = viewed(view_weight=0.7, views=Flip())
    rng = np.random.default_rng(0)
    real, fake = (rng.uniform(-1, 1, (16, 8, 8, 1)).astype("float32") for _ in range(2))
    z = gan.latent_vectors(16, seed=0)
    batch = Batch(*(ops.convert_to_tensor(a) for a in (real, fake, z)))
    gan.code_reader.layers[-1].kernel.assign(rng.normal(0, 30, (128, 7)))  # Something to know.
    told = float(gan._view_information(batch, training=False))
    with_views = float(gan.critic_objective(batch, (), training=False))
    gan.view_weight = 0.0
    without = float(gan.critic_objective(batch, (), training=False))
    assert told > 0.01
    assert with_views == pytest.approx(without - 0.7 * told, rel=1e-5)


def information_of_views(gan, images):
    """Return the categories' information where both views are the images themselves."""
    batch = Batch(ops.convert_to_tensor(images), None, None)
    return float(gan._view_information(batch, training=True))


STILL = kerasgan.augment.Distortion(0.0, 0.0, 0.0, 0.0, 0.0)


def test_views_are_logged():
    gan = viewed(view_weight=0.5, views=STILL)
    gan.code_reader.layers[-1].kernel.assign(np.random.default_rng(0).normal(0, 30, (128, 7)))
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")
    history = gan.fit(images, batch_size=16, shuffle=False, verbose=0).history
    expected = [information_of_views(gan, images[i : i + 16]) for i in (0, 16)]
    assert min(expected) > 0.01
    assert history["view_information"][0] == pytest.approx(np.mean(expected), rel=1e-4)


def test_views_are_kept(tmp_path):
    gan = viewed(view_weight=0.5, views=kerasgan.augment.Distortion(rotation=5.0))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.view_weight == 0.5 and loaded.views.rotation == 5.0
    assert isinstance(viewed(view_weight=1.0).views, kerasgan.augment.Distortion)
    assert "view_information" not in viewed().trackers


@pytest.mark.parametrize("views", ["distortion", kerasgan.augment.ADA()])
def test_views_that_change_nothing_are_refused(views):
    with pytest.raises(ValueError, match=r"`views` must be a layer of kerasgan\.augment"):
        viewed(view_weight=1.0, views=views)


def test_views_without_a_use_are_refused():
    with pytest.raises(ValueError, match="`view_weight` above 0"):
        viewed(views=Flip())
    pair = kerasgan.networks.mlp(8, 1, latent_dim=12, width=8, depth=1)
    with pytest.raises(ValueError, match="needs a categorical code"):
        kerasgan.InfoGAN(*pair, categorical=(), view_weight=1.0)


def test_views_of_packs_and_of_conditional_models():
    images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")
    classes = {"num_classes": 3, "conditioning": "concat"}
    for size, labels in (({"packing": 2}, None), (classes, np.arange(32) % 3)):
        pair = kerasgan.networks.mlp(8, 1, latent_dim=16, width=8, depth=1, **size)
        packing = size.get("packing", 1)
        gan = kerasgan.InfoGAN(*pair, view_weight=1.0, views=STILL, packing=packing)
        gan.compile()
        gan.fit(images, labels, batch_size=16, verbose=0)
        gan.code_reader.layers[-1].kernel.assign(np.random.default_rng(0).normal(0, 30, (128, 12)))
        real = ops.convert_to_tensor(images)
        given = None if labels is None else ops.convert_to_tensor(labels.astype("int32"))
        seen = packs(images, packing) if labels is None else [real, given]
        expected = told(reader(gan)(seen), (10,))
        assert expected > 0.01
        batch = Batch(real, None, None, given)
        found = float(gan._view_information(batch, training=False))
        assert found == pytest.approx(expected, rel=1e-3)


def test_q_moves_with_the_critic_alone():
    images = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    pair = kerasgan.networks.mlp(8, 1, latent_dim=12, width=8, depth=1)
    gan = kerasgan.InfoGAN(*pair, categorical=(3,), continuous=1)
    gan.compile(critic_optimizer=keras.optimizers.SGD(0.0))
    before = [ops.convert_to_numpy(v) for v in gan.code_reader.trainable_variables]
    gan.fit(images, batch_size=16, verbose=0)
    for a, v in zip(before, gan.code_reader.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, ops.convert_to_numpy(v))
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1))
    gan.fit(images, batch_size=16, verbose=0)
    after = [ops.convert_to_numpy(v) for v in gan.code_reader.trainable_variables]
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True))


def test_sample_with_codes(gan):
    codes = {"categorical_0": 2, "continuous_1": np.linspace(-1, 1, 4)}
    z = gan.latent_vectors(4, seed=0)
    z[:, 5:8] = [0, 0, 1]
    z[:, 11] = np.linspace(-1, 1, 4)
    images = gan.sample(4, seed=0, codes=codes)
    np.testing.assert_array_equal(images, gan.decode_latents(z))
    with pytest.raises(ValueError, match="`codes` must be one of"):
        gan.sample(2, codes={"colour": 1})
    with pytest.raises(ValueError, match=r"categorical_0 must lie in 0\.\.2"):
        gan.sample(2, codes={"categorical_0": 3})


@pytest.mark.parametrize(("code", "columns"), [("categorical_1", 2), ("continuous_0", 5)])
def test_traverse_changes_one_code(gan, code, columns, monkeypatch):
    seen = []
    gan._decoders.clear()
    monkeypatch.setattr(gan, "generator_inputs", lambda z, labels: seen.append(z) or z)
    monkeypatch.setattr(backend, "compiled", lambda fn, variables: fn)  # One batch, uncompiled.
    gan.traverse(code, steps=5, rows=3, seed=1)
    gan._decoders.clear()
    z = ops.convert_to_numpy(seen[0]).reshape(3, columns, 12)
    changing = np.ptp(z, axis=1).max(0) > 0
    place = {"categorical_1": [8, 9], "continuous_0": [10]}[code]
    np.testing.assert_array_equal(np.flatnonzero(changing), place)


def test_codes_must_leave_room_for_noise():
    pair = kerasgan.networks.mlp(8, 1, latent_dim=12, width=8, depth=1)
    with pytest.raises(ValueError, match=r"numbers for noise.*Received: 12 numbers.*latent_dim=12"):
        kerasgan.InfoGAN(*pair, categorical=(10,), continuous=2)


def test_codes_are_uniform_whatever_the_prior():
    gan = kerasgan.InfoGAN(
        *kerasgan.networks.mlp(8, 1, latent_dim=8, width=8, depth=1),
        categorical=(3,), continuous=2, prior="normal",
    )  # fmt: skip
    for z in (gan.latent_vectors(4000, seed=0), ops.convert_to_numpy(gan.draw_latents(4000))):
        assert np.abs(z[:, -2:]).max() <= 1 and z[:, -2:].std() == pytest.approx(3**-0.5, abs=0.03)
        assert z[:, :3].std() == pytest.approx(1, abs=0.05)
        assert set(np.unique(z[:, 3:6])) == {0, 1}
    np.testing.assert_array_equal(gan.latent_vectors(9, 5)[:4], gan.latent_vectors(4, 5))


def test_codes_out_of_range_are_refused():
    gan = kerasgan.InfoGAN(
        *kerasgan.networks.mlp(8, 1, latent_dim=8, width=8, depth=1), categorical=(3,), continuous=1
    )
    with pytest.raises(ValueError, match=r"continuous_0 must lie in \[-1, 1\]. Received: 2"):
        gan.sample(2, codes={"continuous_0": 2.0})
    with pytest.raises(ValueError, match="categorical_0 must be integers"):
        gan.sample(2, codes={"categorical_0": 1.0})


def test_codes_are_read_as_q_reads_them(gan):
    images = gan.sample(7, seed=1)
    codes = gan.read_codes(images, batch_size=3)
    assert list(codes) == gan.code_names
    features = gan.scorer.body.features(images)
    read = keras.ops.convert_to_numpy(gan.code_reader(features, training=False))
    start = 0
    for i, size in enumerate(gan.categorical):
        expected = read[:, start : start + size].argmax(axis=1)
        np.testing.assert_array_equal(codes[f"categorical_{i}"], expected)
        start += size
    for i in range(gan.continuous):
        np.testing.assert_allclose(codes[f"continuous_{i}"], read[:, start + i], atol=1e-5)
    with pytest.raises(ValueError, match="`images` must have the shape"):
        gan.read_codes(images[:, :4])
