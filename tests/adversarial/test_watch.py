"""Batches that come from elsewhere are looked at, and so are networks that cannot do well."""

import warnings

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair
from keras import layers

import kerasgan
from kerasgan import networks

LABELS = (np.arange(24) % 3).astype("int32")


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels=None):
        super().__init__()
        self.parts = [images] if labels is None else [images, labels]

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return tuple(part[8 * i : 8 * i + 8] for part in self.parts)


def endless(images, labels=None):
    batches = Batches(images, labels)
    while True:
        yield from (batches[i] for i in range(3))


def as_tensors(images, labels=None):
    tf = pytest.importorskip("tensorflow")
    parts = images if labels is None else (images, labels)
    return tf.data.Dataset.from_tensor_slices(parts).batch(8)


def as_loader(images, labels=None):
    torch = pytest.importorskip("torch")
    if labels is None:
        return torch.utils.data.DataLoader(torch.as_tensor(images), batch_size=8)
    pairs = torch.utils.data.TensorDataset(torch.as_tensor(images), torch.as_tensor(labels))
    return torch.utils.data.DataLoader(pairs, batch_size=8)


BRINGS = {"PyDataset": Batches, "generator": endless, "tf.data": as_tensors, "loader": as_loader}


def model(num_classes=None, name="GAN"):
    gan = getattr(kerasgan, name)(
        *networks.mlp(8, 1, latent_dim=6, width=8, num_classes=num_classes)
    )
    gan.compile()
    return gan


def fit(gan, data, **options):
    steps = {"steps_per_epoch": 3} if hasattr(data, "send") else {}
    return gan.fit(data, verbose=0, **steps, **options)


@pytest.mark.parametrize("kind", BRINGS)
def test_values_out_of_range(kind):
    bring, gan = BRINGS[kind], model()
    first = IMAGES.copy()
    first[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r"`x` must be finite"):
        fit(gan, bring(first))
    with pytest.raises(ValueError, match=r"in \[-1, 1\].*values from 0 to 255"):
        fit(gan, bring(np.where(IMAGES > 0, 255, 0).astype("float32")))
    bad = IMAGES.copy()
    bad[20, 0, 0] = np.nan  # In the last batch.
    with pytest.raises(ValueError, match=r"`x` must be finite"):
        fit(gan, bring(bad))
    # A step was taken before the error came, and no weight broke.
    assert all(np.isfinite(array(v)).all() for v in gan.variables)
    with pytest.warns(UserWarning, match=r"in \[-1, 1\], which is.*`2 \* x - 1`") as caught:
        fit(gan, bring(IMAGES / 2 + 0.5), epochs=2)
    assert sum("which is what" in str(w.message) for w in caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model(), bring(IMAGES))


def test_a_model_whose_images_were_refused_can_be_used():
    gan = model()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="255"):
        gan.fit(Batches(127.5 * IMAGES + 127.5), verbose=0)
    assert np.isfinite(gan.sample(3, seed=0)).all()
    assert gan.critic_steps == 4


@pytest.mark.parametrize("kind", BRINGS)
@pytest.mark.parametrize("wrong", [3, -1])
def test_labels_out_of_range(kind, wrong):
    labels = LABELS.copy()
    labels[2] = wrong
    found = {3: "0 to 3", -1: "-1 to 2"}[wrong]
    with pytest.raises(ValueError, match=rf"labels beside `x` must lie in 0\.\.2.*{found}"):
        fit(model(3), BRINGS[kind](IMAGES, labels))


def test_held_out_batches_are_looked_at():
    for call in (
        lambda gan, x: gan.evaluate(x, verbose=0),
        lambda gan, x: gan.fit(IMAGES, batch_size=8, validation_data=x, verbose=0),
    ):
        with pytest.raises(ValueError, match=r"in \[-1, 1\].*from -127 to 127"):
            call(model(), Batches(127 * np.sign(IMAGES)))
        call(model(), Batches(IMAGES))
    wrong = np.full(24, 5, "int32")
    with pytest.raises(ValueError, match=r"in 0\.\.2.*labels equal to 5"):
        model(3).evaluate(Batches(IMAGES, wrong), verbose=0)


def test_batches_that_are_no_images():
    class Dictionaries(Batches):
        def __getitem__(self, i):
            (images,) = super().__getitem__(i)
            return ({"image": images, "label": LABELS[:8]},)

    with pytest.raises(ValueError, match=r"map the dataset.*dict with the keys 'image', 'label'"):
        model().fit(Dictionaries(IMAGES), verbose=0)


def test_batches_of_an_unknown_shape():
    tf = pytest.importorskip("tensorflow")
    dataset = as_tensors(IMAGES).map(
        lambda x: tf.numpy_function(lambda value: value, [x], tf.float32)
    )
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match=r"shape \(n, 8, 8, 1\).*tf\.ensure_shape"):
            model().fit(dataset, verbose=0)


def test_an_odd_batch_under_packing(backend_name):
    gan = kerasgan.PacGAN(*networks.mlp(8, 1, latent_dim=6, width=8, packing=2), packing=2)
    gan.compile()
    dataset = as_tensors(IMAGES[:21])
    words = "divisible by packing=2"
    with pytest.raises(ValueError, match=words):
        gan.fit(dataset, verbose=0)
    with pytest.raises(ValueError, match=words):
        gan.evaluate(dataset, verbose=0)
    gan.fit(as_tensors(IMAGES), verbose=0)


# Networks.


def ending(activation):
    x = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    if activation is not None:
        x.add(layers.Activation(activation, name="last"))
    return x


def test_a_critic_with_bounded_scores_is_warned_about():
    with pytest.warns(UserWarning, match="'last', ends in a sigmoid"):
        kerasgan.WGANGP(pair()[0], ending("sigmoid"))
    inside = keras.Sequential([keras.Input((8, 8, 1)), ending("tanh")])
    with pytest.warns(UserWarning, match="'last', ends in a tanh"):
        kerasgan.GAN(pair()[0], inside)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        kerasgan.GAN(pair()[0], ending(None))
        kerasgan.GAN(pair()[0], ending("linear"))


def test_a_generator_without_dark_images_is_warned_about():
    generator = keras.Sequential(
        [keras.Input((6,)), layers.Dense(64, "relu"), layers.Reshape((8, 8, 1))]
    )
    with pytest.warns(UserWarning, match=r"in \[-1, 1\], as tanh.*ends in a relu"):
        kerasgan.GAN(generator, ending(None))
    generator.add(layers.Rescaling(2.0, -1.0))  # What comes after a relu may shift its values.
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        kerasgan.GAN(generator, ending(None))
    generator.add(layers.ReLU(name="last"))
    with pytest.warns(UserWarning, match=r"in \[-1, 1\], as tanh.*'last', ends in a relu"):
        kerasgan.GAN(generator, ending(None))


def test_a_critic_is_looked_at_behind_what_only_reshapes():
    x = keras.Input((8, 8, 1))
    for after in (layers.Flatten(), layers.Reshape((1,)), layers.Dropout(0.1)):
        scores = after(layers.Dense(1, "sigmoid")(layers.Flatten()(x)))
        with pytest.warns(UserWarning, match="without a bound.*ends in a sigmoid"):
            kerasgan.GAN(pair()[0], keras.Model(x, scores))
    scores = layers.Dense(1)(layers.Flatten()(x))
    for bounded in (keras.ops.sigmoid, keras.ops.relu):
        with pytest.warns(UserWarning, match=f"without a bound.*ends in a {bounded.__name__}"):
            kerasgan.GAN(pair()[0], keras.Model(x, bounded(scores)))


def test_networks_that_share_a_layer_are_refused():
    shared = layers.Dense(64, name="shared")
    z = keras.Input((64,))
    generator = keras.Model(z, layers.Reshape((8, 8, 1))(shared(z)))
    x = keras.Input((8, 8, 1))
    critic = keras.Model(x, layers.Dense(1)(shared(layers.Flatten()(x))))
    with pytest.raises(ValueError, match=r"must not share weights.*shared/kernel"):
        kerasgan.GAN(generator, critic)


@pytest.mark.parametrize("policy", ["float16", "mixed_float16", "float64"])
def test_policies_that_cannot_go_well_are_refused(policy):
    keras.config.set_dtype_policy(policy)
    try:
        gan = kerasgan.GAN(*pair())
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=f"`{policy}`.*Received: networks built under {policy}"):
        gan.compile()


def test_hdf5_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`filepath` must end in \.keras.*a\.h5"):
        kerasgan.GAN(*pair()).save(tmp_path / "a.h5")


def test_arrays_without_dark_images_are_warned_about():
    with pytest.warns(UserWarning, match=r"in \[-1, 1\], which is.*`2 \* x - 1`"):
        fit(model(), IMAGES / 2 + 0.5, batch_size=8)
    with pytest.warns(UserWarning, match=r"in \[-1, 1\], which is.*`2 \* x - 1`"):
        kerasgan.data.ImageDataset(IMAGES / 2 + 0.5, batch_size=8)


def test_a_dataset_without_batches_is_refused():
    class Empty(Batches):
        def __len__(self):
            return 0

    with pytest.raises(ValueError, match="`x` must bring at least one batch"):
        fit(model(), Empty(IMAGES))


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
def test_single_batches_are_looked_at(method):
    gan = model(num_classes=3)
    take = getattr(gan, method)
    bad = np.where(IMAGES > 0.9, np.nan, IMAGES)
    for x, y, words in (
        (127.5 * IMAGES, LABELS, r"in \[-1, 1\]; for values in 0..255"),
        (bad, LABELS, "must be finite"),
        (IMAGES, LABELS - 1, r"must lie in 0\.\.2.*from -1 to 1"),
        (IMAGES, LABELS + 1, r"must lie in 0\.\.2.*from 1 to 3"),
        (IMAGES, np.eye(3)[LABELS], "argmax over the last axis"),
    ):
        with pytest.raises(ValueError, match=words):
            take(x, y)
    assert gan.critic_steps == 0
    assert np.isfinite(take(IMAGES, LABELS)).all()


def test_what_a_batch_returns_is_in_the_order_of_the_names():
    gan = kerasgan.WGANGP(*pair(), n_critic=2)
    gan.compile()
    for step in range(2):
        values = gan.train_on_batch(IMAGES)
        found = dict(zip(gan.metrics_names, values, strict=True))
        assert list(found) == ["loss", "critic_loss", "generator_loss", "gradient_penalty"]
        assert np.isnan(found["generator_loss"]) == (step == 0)
        assert found["gradient_penalty"] == float(array(gan.trackers["gradient_penalty"].result()))
    assert set(gan.train_on_batch(IMAGES, return_dict=True)) == {"critic_loss", "gradient_penalty"}


def test_a_loader_of_plain_tensors_holds_out():
    gan = model()
    history = gan.fit(IMAGES, batch_size=8, validation_data=as_loader(IMAGES), verbose=0).history
    assert np.isfinite(history["val_critic_loss"]).all()
    assert np.isfinite(list(gan.evaluate(as_loader(IMAGES), verbose=0).values())).all()


def test_labels_in_a_column():
    gan, column = model(num_classes=3), LABELS[:, None]
    fit(gan, Batches(IMAGES, column))
    gan.fit(IMAGES, column, batch_size=8, verbose=0)
    gan.evaluate(IMAGES, column, verbose=0)
    gan.train_on_batch(IMAGES, column)
    expected = gan.sample(24, seed=0, labels=LABELS)
    np.testing.assert_array_equal(gan.sample(24, seed=0, labels=column), expected)
    for y, words in ((np.eye(3, dtype="int32")[LABELS], "argmax"), (LABELS.astype(str), "unique")):
        with pytest.raises(ValueError, match=words):
            gan.fit(IMAGES, y, batch_size=8, verbose=0)
