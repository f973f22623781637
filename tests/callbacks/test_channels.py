"""Pictures of models with any number of channels: none ends a training."""

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import callbacks, networks, pictures
from kerasgan.data.pixels import straight


def model(channels):
    gan = kerasgan.GAN(*networks.mlp(8, channels, latent_dim=4, width=8, depth=1))
    gan.compile()
    return gan


def train(gan, channels, folder, animation="webp"):
    images = np.zeros((16, 8, 8, channels), "float32")
    grid = callbacks.SampleGrid(folder, n=4, animation=animation)
    gan.fit(images, batch_size=8, epochs=2, verbose=0, callbacks=[grid])
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("animation", ["webp", "gif"])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_one_to_four_channels_are_pictures(tmp_path, channels, mode, animation):
    gan = model(channels)
    names = train(gan, channels, tmp_path / "samples", animation)
    assert names == ["epoch_0001.png", "epoch_0002.png", f"epochs.{animation}", "real.png"]
    with Image.open(tmp_path / "samples" / "epoch_0002.png") as picture:
        assert (picture.mode, picture.size) == (mode, (17, 17))
        expected = kerasgan.data.to_uint8(gan.sample(1, seed=0))[0]
        if channels in (2, 4):  # The last is transparency, the others lie over white.
            expected = straight(expected)
        found = np.asarray(picture).reshape(17, 17, channels)[:8, :8]
        np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


def test_more_channels_warn_and_train_on(tmp_path):
    gan = model(5)
    with pytest.warns(UserWarning, match=r"1 to 4 channels.*Received: 5 channels"):
        assert train(gan, 5, tmp_path / "samples") == []
    assert gan.critic_steps == 4


def test_transparent_pixels_are_white_where_nothing_is_transparent():
    image = pictures.picture(np.array([[[200, 0, 0, 0], [200, 0, 0, 255]]], "uint8"))
    np.testing.assert_array_equal(
        np.asarray(pictures.opaque(image)), [[[255, 255, 255], [200, 0, 0]]]
    )
