"""`kerasgan mix` and `kerasgan directions`."""

import numpy as np
import pytest
from PIL import Image

import kerasgan

SIZE = {"latent_dim": 6, "mapping_layers": 1, "channel_base": 64, "channel_max": 4}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    pair = kerasgan.StyleGAN2.default_networks(image_size=16, **SIZE)
    folder = tmp_path_factory.mktemp("style") / "preset"
    kerasgan.StyleGAN2(*pair).save_to_preset(folder)
    return folder


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def cells(grid, rows, columns, scale=1):
    """Return the images of a grid, which stand a pixel apart."""
    side = (grid.shape[1] // scale + 1) // columns - 1
    starts = [[i * (side + 1) * scale for i in range(n)] for n in (rows, columns)]
    end = side * scale
    return [[grid[y : y + end, x : x + end] for x in starts[1]] for y in starts[0]]


def test_mixed_images_stand_beside_those_they_come_from(command, preset, tmp_path):
    out = tmp_path / "deep" / "mix.png"
    given = ["mix", preset, "--rows", "1,2", "--columns", "3-5", "--scale", 2]
    code, said, err = command(*given, "--levels", "0-5", "--truncation", 0.7, "--out", out)
    assert code == 0, err
    assert f"wrote {out}: 2x3 mixed images" in said
    grid = cells(pixels(out), 3, 4, 2)
    assert (grid[0][0] == 255).all() and grid[0][0].shape == (32, 32, 3)
    for column in (1, 2, 3):  # All styles are the column's.
        for row in (1, 2):
            np.testing.assert_allclose(grid[row][column], grid[0][column], atol=1)
    assert np.abs(grid[1][0] - grid[2][0]).max() > 1
    code, _, err = command(*given, "--out", out)
    assert code == 2 and "--overwrite" in err


def test_directions_have_a_row_each(command, preset, run_folder, tmp_path):
    out = tmp_path / "d.png"
    for source, more in ((preset, ["--levels", "coarse", "--noise", "none"]), (run_folder, [])):
        given = ["directions", source, "-k", 2, "--steps", 3, "--range", 2, "--seed", 4]
        code, said, err = command(*given, *more, "--out", out, "--overwrite")
        assert code == 0, err
        assert "2 directions, from -2 to 2" in said
        grid = cells(pixels(out), 2, 3)
        np.testing.assert_allclose(grid[0][1], grid[1][1], atol=1)
        assert np.abs(grid[0][0] - grid[0][2]).max() > 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mix", "RUN"], "--levels goes with a generator of styles"),
        (["mix", "PRESET", "--levels", "fine"], "--levels must name some of the layers 0..5"),
        (["mix", "PRESET", "--levels", "broad"], "must be coarse, middle, fine, or numbers"),
        (["mix", "PRESET", "--levels", "6"], "--levels must name some of the layers 0..5"),
        (["mix", "PRESET", "--rows", "2-1"], "must be numbers with commas between them"),
        (["mix", "PRESET", "--rows", "1,x"], "must be numbers with commas between them"),
        (["mix", "PRESET", "--rows", "0-100"], "must be numbers with commas between them"),
        (["mix", "PRESET", "--columns", "0-99,100"], "must be at most 100 numbers"),
        (["mix", "PRESET", "--truncation", "-1"], "--truncation"),
        (["mix", "PRESET", "--out", "mix.jpg"], "must end in .png"),
        (["directions", "PRESET", "-k", "7"], "-k must be at most 6"),
        (["directions", "RUN", "--levels", "coarse"], "--levels goes with a generator of styles"),
        (["directions", "RUN", "--truncation", "0.5"], "--truncation is no option of"),
    ],
)
def test_what_cannot_be_is_refused(command, preset, run_folder, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    named = {"PRESET": preset, "RUN": run_folder}
    code, _, err = command(*(named.get(word, word) for word in words))
    assert code == 2 and said in err, err
    assert not list(tmp_path.glob("*.png"))


def test_pictures_are_projected(command, preset, run_folder, tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / "wide.png", tmp_path / "grey.jpg"]
    Image.fromarray(rng.integers(0, 256, (20, 30, 4), dtype="uint8")).save(paths[0])
    Image.fromarray(rng.integers(0, 256, (40, 10), dtype="uint8")).save(paths[1])
    for source, shape in ((preset, (2, 6, 6)), (run_folder, (2, 6))):
        out = tmp_path / source.name / "out"
        given = ["project", source, *paths, "--steps", 3, "--distance", "pixels", "--out", out]
        code, said, err = command(*given)
        assert code == 0, err
        assert "wide.png: " in said and "2 pictures" in said
        assert "wide.png has 30x20 pixels; it is cropped and resized to the model's" in err
        with np.load(out / "styles.npz") as found:
            assert found["styles"].shape[:1] == (2,) and found["styles"].ndim == len(shape)
        side = (pixels(out / "projected.png").shape[1] - 1) // 2
        assert pixels(out / "projected.png").shape == (2 * side + 1, 2 * side + 1, 3)
        code, _, err = command(*given)
        assert code == 2 and "--overwrite" in err
    (tmp_path / "no.png").write_text("text")
    for words, message in (
        ([tmp_path / "no.png"], "no.png is no picture"),
        ([tmp_path / "none.png"], "does not exist"),
        ([], "Missing argument"),
        ([paths[0], "--label", "1"], "--label is for conditional models"),
        ([paths[0]] * 65, "must be at most 64"),
    ):
        code, _, err = command("project", preset, *words, "--out", tmp_path / "x")
        assert code == 2 and message in err, err
    assert not (tmp_path / "x").exists()
