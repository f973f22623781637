"""Training with labels."""

import keras
import numpy as np
import pytest
from by_hand import assert_held_out_losses
from small_networks import IMAGES, LABELS, pair

import kerasgan
from kerasgan.gans import VARIANTS


@pytest.mark.parametrize("conditioning", ["projection", "concat"])
@pytest.mark.parametrize(
    "name",
    [n for n in VARIANTS if n not in ("pacgan", "infogan", "flow_gan", "stylegan2", "fastgan")],
)
def test_conditional_training(name, conditioning):
    variant = VARIANTS[name]
    size = {"num_classes": 3, "conditioning": conditioning}
    gan = variant(
        *variant.default_networks(
            "mlp", image_size=8, channels=1, latent_dim=6, width=8, depth=2, **size
        ),
        n_critic=1,
        **({"unrolled_steps": 1} if name == "unrolled_gan" else {}),
    )
    assert gan.num_classes == 3
    gan.compile()
    gan.fit(IMAGES, LABELS, batch_size=8, verbose=0)
    ones, twos = gan.sample(4, seed=0, labels=1), gan.sample(4, seed=0, labels=[2] * 4)
    assert ones.shape == (4, 8, 8, 1) and not np.array_equal(ones, twos)
    np.testing.assert_allclose(gan.sample(6, seed=0)[:2], gan.sample(2, seed=0), atol=1e-6)
    assert_held_out_losses(gan, IMAGES, LABELS)


def test_infogan_with_labels():
    gan = kerasgan.InfoGAN(
        *pair(num_classes=3, conditioning="concat"), categorical=(2,), continuous=1
    )
    gan.compile()
    gan.fit(IMAGES, LABELS, batch_size=8, verbose=0)
    assert_held_out_losses(gan, IMAGES, LABELS)


def test_conditional_state_comes_back(tmp_path):
    gan = kerasgan.WGANGP(*pair(num_classes=3), n_critic=1)
    gan.compile()
    gan.fit(IMAGES, LABELS, batch_size=8, verbose=0)
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(gan.sample(5, seed=1), loaded.sample(5, seed=1))
    gan.save_to_preset(tmp_path / "preset")
    preset = kerasgan.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(gan.sample(5, seed=1), preset.sample(5, seed=1))


def test_labels_that_do_not_fit():
    gan = kerasgan.GAN(*pair(num_classes=3))
    gan.compile()
    with pytest.raises(ValueError, match="`y` must be given"):
        gan.fit(IMAGES, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match=r"`labels` must lie in 0\.\.2"):
        gan.fit(IMAGES, LABELS + 1, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match=r"`labels` must lie in 0\.\.2"):
        gan.sample(2, labels=3)
    with pytest.raises(ValueError, match="`labels` must be one integer or 2"):
        gan.sample(2, labels=[0, 1, 2])
    with pytest.raises(ValueError, match="conditional networks"):
        kerasgan.GAN(*pair()).sample(2, labels=1)
    with pytest.raises(ValueError, match="must both take labels"):
        kerasgan.GAN(pair(num_classes=3)[0], pair()[1])
    with pytest.raises(ValueError, match=r"`packing` must be 1 with conditional"):
        kerasgan.GAN(*pair(num_classes=3, packing=2), packing=2)
    with pytest.raises(ValueError, match="`num_classes` is for conditional networks"):
        kerasgan.GAN(*pair(), num_classes=3)
