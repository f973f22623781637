"""Augmentation against per-sample NumPy, first and second order, eager and compiled."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend
from kerasgan.augment import ADA, DiffAugment, Distortion

RNG = np.random.default_rng(0)
COLOR = RNG.uniform(-1, 1, (5, 8, 10, 3)).astype("float32")
GREY = COLOR[..., :1]


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def compiled(fn):
    """Return `fn` as one program, where that is faster than its many small ones."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(fn)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(fn)
    return fn


def augmented(layer, images, noise):
    """Return the augmented images; compiled, the values of `noise` are constants."""
    return numpy(compiled(lambda x: layer.transform(x, noise))(ops.convert_to_tensor(images)))


class Noise:
    """Draws by NumPy; the same seed gives the same numbers on every backend."""

    def __init__(self, rows, seed=0, repeat=1):
        self.rows = rows
        self.repeat = repeat
        self.generator = np.random.default_rng(seed)

    def array(self, kind, *shape):
        draw = {"uniform": self.generator.random, "normal": self.generator.standard_normal}[kind]
        return np.repeat(draw((self.rows, *shape), dtype="float32"), self.repeat, axis=0)

    def __call__(self, kind, *shape):
        return ops.convert_to_tensor(self.array(kind, *shape))


def seeded_noise(images, seed):
    """Return the noise that a model passes: its own seeds, and as many rows as images."""

    def noise(kind, *shape):
        draw = {"uniform": keras.random.uniform, "normal": keras.random.normal}[kind]
        return backend.replica_rows(lambda n: draw((n, *shape), seed=seed), ops.shape(images)[0])

    return noise


def ada(probability, **arguments):
    layer = ADA(max_probability=1.0, **arguments)
    layer.probability.assign(probability)
    return layer


# By hand, one image at a time.


def numpy_diff_augment(part, image, draws):
    height, width, _ = image.shape
    out = np.zeros_like(image)
    if part == "color":
        brightness, saturation, contrast = draws
        image = image + (brightness - 0.5)
        for i, j in np.ndindex(height, width):
            mean = image[i, j].mean()
            out[i, j] = mean + (image[i, j] - mean) * 2 * saturation
        return out.mean() + (out - out.mean()) * (contrast + 0.5)
    if part == "translation":
        far, wide = (int(side * 0.125 + 0.5) for side in (height, width))
        down, across = np.arange(-far, far + 1), np.arange(-wide, wide + 1)
        down, across = down[int(draws[0] * len(down))], across[int(draws[1] * len(across))]
        for i, j in np.ndindex(height, width):
            if 0 <= i + down < height and 0 <= j + across < width:
                out[i, j] = image[i + down, j + across]
        return out
    out[:] = image
    sizes = height // 2, width // 2
    places = [
        int(u * (side + 1 - size % 2))
        for u, side, size in zip(draws, (height, width), sizes, strict=True)
    ]
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            row, column = i + places[0] - sizes[0] // 2, j + places[1] - sizes[1] // 2
            if 0 <= row < height and 0 <= column < width:
                out[row, column] = 0
    return out


def matrix(*rows):
    return np.array(rows, "float64")


def turn(angle):
    c, s = np.cos(angle), np.sin(angle)
    return matrix([c, -s, 0], [s, c, 0], [0, 0, 1])


def shift(x, y):
    return matrix([1, 0, x], [0, 1, y], [0, 0, 1])


def reflected(i, side):
    while not 0 <= i < side:
        i = -i if i < 0 else 2 * (side - 1) - i
    return i


def moved(image, inverse):
    """Look up each pixel of the output, at the place that `inverse` gives, in the input."""
    height, width, _ = image.shape
    out = np.zeros_like(image, "float64")
    for i, j in np.ndindex(height, width):
        x, y, _ = inverse @ (j - (width - 1) / 2, i - (height - 1) / 2, 1)
        x, y = x + (width - 1) / 2, y + (height - 1) / 2
        left, top = int(np.floor(x)), int(np.floor(y))
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
                value = image[reflected(row, height), reflected(column, width)]
                out[i, j] += down * across * value
    return out


def numpy_movement(image, p, geometry, blit):
    """Multiply inverse matrices in the authors' order; `geometry` and `blit` are the draws."""
    height, width, _ = image.shape
    inverse = np.eye(3)
    if blit is not None:
        u = blit[0]
        if u[1] < p:
            inverse = inverse @ np.diag([1 - 2 * int(2 * u[0]), 1, 1])
        if u[3] < p:
            inverse = inverse @ turn(np.pi / 2 * int(4 * u[2]))
        if u[4] < p:
            across, down = np.round(0.125 * np.array([width, height]) * (2 * u[5:7] - 1))
            inverse = inverse @ shift(-across, -down)
    if geometry is not None:
        u, z = geometry
        p_rotation = 1 - np.sqrt(1 - p)
        if u[0] < p:
            inverse = inverse @ np.diag([2 ** (-0.2 * z[0]), 2 ** (-0.2 * z[0]), 1])
        if u[2] < p_rotation:
            inverse = inverse @ turn(np.pi * (2 * u[1] - 1))
        if u[3] < p:
            inverse = inverse @ np.diag([2 ** (-0.2 * z[1]), 2 ** (0.2 * z[1]), 1])
        if u[5] < p_rotation:
            inverse = inverse @ turn(np.pi * (2 * u[4] - 1))
        if u[6] < p:
            inverse = inverse @ shift(-0.125 * width * z[2], -0.125 * height * z[3])
    return moved(image, inverse)


def numpy_ada_color(image, p, u, z):
    """Multiply the authors' 4x4 matrices of homogeneous colours."""
    grey = np.array([1, 1, 1, 0]) / np.sqrt(3)
    along = np.outer(grey, grey)
    total = np.eye(4)
    if u[0] < p:
        total[:3, 3] += 0.2 * z[0]
    if u[1] < p:
        total = np.diag([*3 * [2 ** (0.5 * z[1])], 1]) @ total
    if u[3] < p:
        total = (np.eye(4) - 2 * along * int(2 * u[2])) @ total
    if u[5] < p:
        angle = np.pi * (2 * u[4] - 1)
        cross = np.zeros((4, 4))
        cross[:3, :3] = matrix([0, -1, 1], [1, 0, -1], [-1, 1, 0]) / np.sqrt(3)
        rotation = np.eye(4) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        total = rotation @ total
    if u[6] < p:
        across = np.diag([1, 1, 1, 0]) - along
        total = (along + np.diag([0, 0, 0, 1]) + across * 2 ** z[2]) @ total
    colors = np.ones((*image.shape[:2], 4))
    colors[..., :3] = image
    return (colors @ total.T)[..., : image.shape[-1]]


def numpy_distortion(image, u, bounds):
    """Lean, turn, stretch and move by matrices; then thicken or thin, neighbour by neighbour."""
    height, width, _ = image.shape
    rotation, shear, scale, far, thickness = bounds
    lean, angle, wide, high, right, down, way = 2 * u - 1
    inverse = shift(far * width * right, far * height * down)
    inverse = inverse @ np.diag([np.exp(scale * wide), np.exp(scale * high), 1])
    inverse = inverse @ turn(np.deg2rad(rotation) * angle)
    found = moved(image, inverse @ matrix([1, shear * lean, 0], [0, 1, 0], [0, 0, 1]))
    out = np.empty_like(found)
    extreme = np.max if way > 0 else np.min
    for i, j in np.ndindex(height, width):
        near = found[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        out[i, j] = found[i, j] + abs(thickness * way) * (extreme(near, (0, 1)) - found[i, j])
    return out


# Values.


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("part", ["color", "translation", "cutout"])
def test_diff_augment_equals_numpy(part, images):
    found = augmented(DiffAugment(part), images, Noise(5))
    draws = Noise(5).array("uniform", 3 if part == "color" else 2)
    expected = [numpy_diff_augment(part, *pair) for pair in zip(images, draws, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_diff_augment_applies_its_parts_in_their_order():
    found = numpy(DiffAugment("cutout,color").transform(COLOR, Noise(5)))
    noise = Noise(5)
    cut = DiffAugment("cutout").transform(COLOR, noise)
    expected = numpy(DiffAugment("color").transform(cut, noise))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("u", [0.0, 1 - 2**-24])
def test_the_ends_of_the_ranges(u):
    def noise(kind, *shape):
        return ops.full((5, *shape), u, dtype="float32")

    kept = numpy(DiffAugment("cutout").transform(np.ones_like(GREY), noise))[0, ..., 0]
    expected = np.ones((8, 10))
    expected[(slice(2), slice(3)) if u == 0 else (slice(6, 8), slice(7, 10))] = 0
    np.testing.assert_array_equal(kept, expected)
    first = numpy(DiffAugment("translation").transform(GREY, noise))
    expected = np.zeros_like(GREY)
    if u == 0:
        expected[:, 1:, 1:] = GREY[:, :-1, :-1]
    else:
        expected[:, :-1, :-1] = GREY[:, 1:, 1:]
    np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("policy", ["blit", "geometry", "color"])
@pytest.mark.parametrize("p", [0.6, 1.0])
def test_ada_equals_numpy(policy, images, p):
    found = augmented(ada(p, policy=policy), images, Noise(5))
    noise, normals = Noise(5), {"blit": 0, "geometry": 4, "color": 3}[policy]
    draws = [noise.array("uniform", 7), *([noise.array("normal", normals)] if normals else [])]
    for i, image in enumerate(images):
        rows = [d[i].astype("float64") for d in draws]
        if policy == "color":
            expected = numpy_ada_color(image, p, *rows)
        else:
            expected = numpy_movement(image, p, **{"blit": None, "geometry": None, policy: rows})
        np.testing.assert_allclose(found[i], expected, atol=2e-5)


def test_ada_moves_by_geometry_and_blit_together_in_the_authors_order():
    found = augmented(ada(0.9, policy="blit,geometry"), GREY, Noise(5, seed=3))
    noise = Noise(5, seed=3)
    uz = [noise.array("uniform", 7), noise.array("normal", 4)]
    blit = noise.array("uniform", 7)
    for i, image in enumerate(GREY):
        expected = numpy_movement(image, 0.9, [d[i].astype("float64") for d in uz], [blit[i]])
        np.testing.assert_allclose(found[i], expected, atol=2e-5)


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
def test_ada_with_probability_zero_changes_nothing(images):
    np.testing.assert_allclose(numpy(ADA().transform(images, Noise(5))), images, atol=1e-6)
    np.testing.assert_array_equal(
        numpy(ADA(policy="blit,geometry").transform(images, Noise(5))), images
    )


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("bounds", [(23.0, 0.4, 0.25, 0.1, 1.0), (90.0, 1.0, 0.5, 0.3, 0.5)])
def test_distortion_equals_numpy(images, bounds):
    found = augmented(Distortion(*bounds), images, Noise(5, seed=3))
    for image, u, distorted in zip(
        images, Noise(5, seed=3).array("uniform", 7), found, strict=True
    ):
        expected = numpy_distortion(image, u.astype("float64"), bounds)
        np.testing.assert_allclose(distorted, expected, atol=2e-5)


def test_distortion_knows_where_the_channels_are():
    found = augmented(Distortion(), COLOR, Noise(5))
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        again = augmented(Distortion(), COLOR, Noise(5))
    finally:
        keras.config.set_image_data_format(before)
    np.testing.assert_array_equal(again, found)


def test_distortion_without_bounds_changes_nothing():
    layer = Distortion(0.0, 0.0, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(numpy(layer.transform(GREY, Noise(5))), GREY, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [DiffAugment(), ada(1.0), Distortion()], ids=["DiffAugment", "ADA", "Distortion"]
)
@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 7, 5, 2)])
def test_halves_are_augmented_as_floats_are(layer, shape):
    images = np.random.default_rng(1).integers(-8, 9, shape) / 8  # Exact in both.
    found = []
    for dtype in ("float16", "float32"):
        run = compiled(lambda x: layer.transform(x, Noise(2)))
        found.append(run(ops.convert_to_tensor(images, dtype=dtype)))
        assert tuple(found[-1].shape) == shape
        assert keras.backend.standardize_dtype(found[-1].dtype) == "float32"
    np.testing.assert_allclose(numpy(found[0]), numpy(found[1]), atol=1e-6)


def test_the_share_of_changed_images_is_the_probability():
    n, p = 4000, 0.3
    images = np.full((n, 2, 2, 1), 0.5, "float32")
    found = augmented(ada(p, policy="color"), images, Noise(n))
    changed = (np.abs(found - images) > 1e-7).any((1, 2, 3)).mean()
    # Brightness, contrast, and every second luma flip.
    expected = 1 - (1 - p) * (1 - p) * (1 - p / 2)
    assert abs(changed - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


# Gradients.


# The gradient test needs what is affine in the images: no thicker strokes.
LAYERS = {
    "DiffAugment": DiffAugment,
    "ADA": lambda: ada(0.9),
    "Distortion": lambda: Distortion(thickness=0.0),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param]()


WEIGHTS = RNG.standard_normal((2, 4, 4, 3)).astype("float32")
SMALL = RNG.uniform(-1, 1, (2, 4, 4, 3)).astype("float32")


def finite_differences(fn, x, h):
    out = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        out[index] = (fn(up) - fn(down)) / (2 * h)
    return out


def jacobian(layer):
    """Return the augmentation, affine for given noise, as matrices and offsets of two images."""
    basis = np.concatenate([np.zeros((1, 48)), np.eye(48)]).reshape(49, 4, 4, 3)
    images = np.tile(basis, (2, 1, 1, 1)).astype("float32")
    found = augmented(layer, images, Noise(2, repeat=49)).astype("float64")
    found = found.reshape(2, 49, 48)
    return np.swapaxes(found[:, 1:] - found[:, :1], 1, 2), found[:, 0]


def test_gradients_equal_finite_differences(layer):
    slope, offset = jacobian(layer)
    w = WEIGHTS.reshape(2, -1).astype("float64")

    def expected(x):
        """Return sum(w tanh(augment(x))), computed by NumPy in double precision."""
        return (w * np.tanh(np.einsum("bij,bj->bi", slope, x) + offset)).sum()

    def expected_penalty(x):
        """Return the squared norm of its gradient with respect to the images."""
        inner = np.einsum("bij,bj->bi", slope, x) + offset
        return (np.einsum("bij,bi->bj", slope, w * (1 - np.tanh(inner) ** 2)) ** 2).sum()

    def score(x):
        return ops.sum(ops.tanh(layer.transform(x, Noise(2))) * ops.convert_to_tensor(WEIGHTS))

    images = keras.Variable(SMALL)
    flat = SMALL.reshape(2, -1).astype("float64")
    found = numpy(compiled(lambda x: backend.gradient(score, x))(ops.convert_to_tensor(SMALL)))
    numeric = finite_differences(expected, flat, 1e-5).reshape(SMALL.shape)
    np.testing.assert_allclose(found, numeric, atol=1e-4)

    def penalty():
        return ops.sum(ops.square(backend.gradient(score, ops.convert_to_tensor(images))))

    value, (found,) = compiled(lambda: backend.value_and_grad(penalty, [images]))()
    assert float(numpy(value)) == pytest.approx(expected_penalty(flat), rel=1e-4)
    numeric = finite_differences(expected_penalty, flat, 1e-5).reshape(SMALL.shape)
    np.testing.assert_allclose(numpy(found), numeric, atol=1e-3 * np.abs(numeric).max())


# The controller.


class NumpyController:
    def __init__(self, target, speed, interval, bound):
        self.target, self.speed, self.interval, self.bound = target, speed, interval, bound
        self.p, self.r, self.scores = 0.0, 0.0, []

    def observe(self, scores):
        self.scores.append(np.sign(scores).ravel())
        if len(self.scores) == self.interval:
            signs = np.concatenate(self.scores)
            self.r, self.scores = signs.mean(), []
            self.p += np.sign(self.r - self.target) * len(signs) / self.speed
            self.p = min(max(self.p, 0.0), self.bound)


def test_the_controller_equals_numpy():
    layer = ADA(target=0.5, speed=100, interval=3, max_probability=0.55)
    expected = NumpyController(0.5, 100, 3, 0.55)
    generator, seen = np.random.default_rng(1), []
    for step in range(36):
        mean = 2.0 if step < 18 else -0.3
        scores = generator.normal(mean, 1.0, (6 if step % 2 else 4, 1)).astype("float32")
        layer.observe(ops.convert_to_tensor(scores))
        expected.observe(scores)
        seen.append(float(numpy(layer.probability.value)))
        assert seen[-1] == pytest.approx(expected.p, abs=1e-6)
        assert float(numpy(layer.overfitting.value)) == pytest.approx(expected.r, abs=1e-6)
    assert max(seen) == pytest.approx(0.55) and seen[-1] == 0.0


class Toy(backend.Trainer, keras.Model):
    """A linear critic, R1 through the augmentation, and the controller, all in one loss."""

    def __init__(self, augment):
        super().__init__()
        self.augment = augment
        self.dense = keras.layers.Dense(1)
        self.dense.build((None, 48))
        self.seed = keras.random.SeedGenerator(0)
        self.built = True

    def critic(self, images):
        seen = self.augment.transform(images, seeded_noise(images, self.seed))
        return self.dense(ops.reshape(seen, (-1, 48)))

    def _train_on(self, real, generator_turn):
        def loss():
            scores = self.critic(real)
            self.augment.observe(scores)
            penalty = ops.mean(ops.square(backend.gradient(self.critic, real)))
            return ops.mean(ops.softplus(-scores)) + penalty

        value, gradients = backend.value_and_grad(loss, self.dense.trainable_variables)
        self.optimizer.apply(gradients, self.dense.trainable_variables)
        return {"loss": value}


KERNEL = np.random.default_rng(0).standard_normal((48, 1)) / 20


def trained(mode):
    """Return a toy after two epochs that run "eager", "auto" or "xla"."""
    model = Toy(ADA(target=0.1, speed=40, interval=2))
    model.compile(
        optimizer=keras.optimizers.SGD(0.01),
        run_eagerly=mode == "eager",
        jit_compile=mode == "xla" or (mode == "auto" and backend.resolve_jit("auto")),
    )
    model.dense.kernel.assign(KERNEL)
    model.dense.bias.assign([9.0])  # All scores are positive.
    real = np.tile(SMALL, (5, 1, 1, 1))
    # Batches of 4, 4, 2, 4, 4, 2 images, or of 5 on JAX, which compiles for each size.
    size = 5 if keras.backend.backend() == "jax" else 4
    model.fit(real, batch_size=size, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("mode", ["auto", pytest.param("xla", marks=pytest.mark.slow)])
def test_training_steps(mode, backend_name, tmp_path):
    if mode == "xla" and backend_name != "tensorflow":
        pytest.skip("JAX compiles by default; torch.compile takes minutes")
    model = trained(mode)
    probability = 20 / 40
    assert float(numpy(model.augment.probability.value)) == pytest.approx(probability)
    assert float(numpy(model.augment.overfitting.value)) == 1.0
    kernel = numpy(model.dense.kernel.value)
    assert 1e-4 < np.abs(kernel - KERNEL).max() < 1
    if backend_name != "jax":  # Operation by operation it takes minutes.
        np.testing.assert_allclose(kernel, numpy(trained("eager").dense.kernel.value), atol=5e-4)

    model.save_weights(tmp_path / "toy.weights.h5")
    again = Toy(ADA(target=0.1, speed=40, interval=2))
    again.load_weights(tmp_path / "toy.weights.h5")
    assert float(numpy(again.augment.probability.value)) == pytest.approx(probability)


REPLICAS = """
import json, keras, tensorflow as tf
from kerasgan.augment import ADA
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    layer = ADA(target=0.2, speed=100, interval=2)
@tf.function
def step(scores):
    def replica():
        i = tf.distribute.get_replica_context().replica_id_in_sync_group
        with tf.GradientTape():
            layer.observe(scores[i])
    strategy.run(replica)
# Each replica alone would move the other way, or by half as much.
for _ in range(2):
    step(tf.constant([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0, -1.0]]))
values = [strategy.experimental_local_results(v.value) for v in layer.weights]
print(json.dumps([[v.numpy().tolist() for v in pair] for pair in values[:2]]))
"""


@pytest.mark.slow
def test_replicas_move_the_probability_together(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("JAX programs see the whole batch; PyTorch has no replicas")
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    probability, overfitting = json.loads(done.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(probability, [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(overfitting, [0.6, 0.6], rtol=1e-6)


# The layers.


@pytest.mark.parametrize(
    "layer",
    [
        DiffAugment("cutout,color"),
        ADA(target=0.3, speed=1000, interval=2, max_probability=1.0, policy="color"),
        Distortion(rotation=5.0, thickness=0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configuration_round_trip(layer):
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert config["registered_name"] == f"kerasgan>{type(layer).__name__}"


@pytest.mark.parametrize("policy", ["", "colour", "color,", "color,color", "color, color", None])
@pytest.mark.parametrize("kind", [DiffAugment, ADA])
def test_bad_policy(kind, policy):
    with pytest.raises(ValueError, match=r"`policy` must be .* Received: policy="):
        kind(policy=policy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("target", v) for v in (0, 1, "high")],
        *[("speed", v) for v in (0, -1, None)],
        *[("interval", v) for v in (0, 1.5)],
        *[("max_probability", v) for v in (0, 1.1, None)],
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}="):
        ADA(**{name: value})


def test_bad_images(layer):
    with pytest.raises(ValueError, match=r"`images` must have .* Received: shape \(8, 8\)"):
        layer.transform(np.zeros((8, 8), "float32"), Noise(8))


@pytest.mark.parametrize(
    ("name", "value"), [("rotation", -1.0), ("shift", "far"), ("thickness", 1.5)]
)
def test_bad_bounds(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}="):
        Distortion(**{name: value})
