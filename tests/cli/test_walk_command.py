"""`kerasgan walk`."""

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import environment, networks

FRAMES = ["--frames", 3]


def shown(path):
    with Image.open(path) as found:
        for i in range(found.n_frames):
            found.seek(i)
            yield np.asarray(found.convert("RGB"))


def test_at_each_seed_the_film_shows_what_sample_writes(command, run_folder, tmp_path):
    out = tmp_path / "walks" / "w.webp"
    more = ["--grid", "2x3", "--scale", 2, "--seeds", "1,5,9"]
    code, said, err = command("walk", run_folder, *more, *FRAMES, "--out", out)
    assert code == 0, err
    assert f"wrote {out}: 9 pictures of 76x50, 0.4 s, through the seeds 1, 5, 9 and back" in said
    film = list(shown(out))
    for place, seed in ((0, 1), (3, 5), (6, 9)):
        picture = tmp_path / f"{seed}.png"
        given = ["-n", 6, "--columns", 3, "--scale", 2, "--seed", seed, "--out", picture]
        assert command("sample", run_folder, *given)[0] == 0
        expected = np.asarray(Image.open(picture).convert("RGB"))
        np.testing.assert_array_equal(film[place], expected)
    assert not np.array_equal(film[1], film[0])


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_the_same_command_gives_the_same_bytes(command, run_folder, tmp_path, suffix):
    outs = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for out in outs:
        assert command("walk", run_folder, "--seeds", "1,2", *FRAMES, "--out", out)[0] == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_film_is_replaced_only_where_it_is_asked_for(command, run_folder, tmp_path):
    out = tmp_path / "w.gif"
    out.write_text("mine")
    given = ["walk", run_folder, "--seeds", "1,2", *FRAMES, "--no-loop", "--out", out]
    code, _, err = command(*given)
    assert code == 2 and "--overwrite" in err and out.read_text() == "mine"
    code, said, _ = command(*given, "--overwrite")
    assert code == 0 and "4 pictures" in said and "and back" not in said
    assert len(list(shown(out))) == 4


def test_a_conditional_model_needs_a_class(command, tmp_path):
    pair = networks.mlp(12, 1, latent_dim=4, width=4, depth=1, num_classes=2)
    kerasgan.GAN(*pair).save_to_preset(tmp_path / "p", {"classes": ["cat", "dog"]})
    given = ["walk", tmp_path / "p", "--seeds", "1,2", *FRAMES, "--out", tmp_path / "w.webp"]
    code, _, err = command(*given)
    assert code == 2 and "--label is needed" in err and "cat, dog" in err
    assert not (tmp_path / "w.webp").exists()
    assert command(*given, "--label", "dog")[0] == 0


def test_a_walk_of_an_infogan_can_keep_a_code(command, tmp_path):
    gan = kerasgan.InfoGAN(*networks.mlp(12, 1, latent_dim=16, width=4, depth=1))
    gan.save(tmp_path / "i.keras")
    given = ["walk", tmp_path / "i.keras", "--seeds", "1,2", *FRAMES, "--scale", 1]
    out = tmp_path / "w.webp"
    code, _, err = command(*given, "--out", out, "--codes", "categorical_0=3")
    assert code == 0, err
    expected = kerasgan.pictures.grid(gan.sample(1, 2, codes={"categorical_0": 3}))
    np.testing.assert_allclose(list(shown(out))[3][..., :1].astype(int), expected, atol=1)
    code, _, err = command(*given, "--out", tmp_path / "n.webp", "--codes", "categorical_0=11")
    assert code == 2 and "--codes: categorical_0 must lie in 0..9" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "1"], "must be two to 1,000 seeds"),
        (["--seeds", "1,x"], "Received: '1,x'"),
        (["--seeds", "1,4294967296"], "of 0..4294967295"),
        (["--seeds", "1,2", "--grid", "0x3"], "such as 3x5"),
        (["--seeds", "1,2", "--out", "w.avi"], "--out must end in .webp, .gif, .mp4"),
        (["--seeds", "1,2", "--out", "w.gif", "--fps", "60"], "--fps must be at most 50"),
        (["--seeds", "1,2", "--label", "1"], "has no classes"),
        (["--seeds", "1,2", "--codes", "categorical_0=1"], "--codes is no option of"),
        ([], "Missing option '--seeds'"),
    ],
)
def test_walk_refuses(command, run_folder, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    code, _, err = command("walk", run_folder, *arguments)
    assert code == 2 and words in err, err
    assert set(tmp_path.iterdir()) == before


def test_an_mp4_without_its_package_is_refused_at_once(command, run_folder, monkeypatch):
    monkeypatch.setattr(environment.util, "find_spec", lambda name: None)
    code, _, err = command("walk", run_folder, "--seeds", "1,2", "--out", "w.mp4")
    assert code == 1
    assert "a film in .mp4 needs av, which is not installed. Install it with: pip install" in err
