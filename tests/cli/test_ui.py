"""`kerasgan ui`: what its page draws, how it begins and ends, and the page in a browser."""

import dataclasses
import importlib.util
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import click
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import catalogue, networks, pictures
from kerasgan_cli import ui
from kerasgan_cli.gallery import ANY, SIZES, STEPS, Gallery
from kerasgan_cli.sources import about

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_gradio = pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="needs gradio")


def small(kind=kerasgan.GAN, side=12, latent_dim=16, **more):
    return kind(*networks.mlp(side, 1, latent_dim=latent_dim, width=4, depth=1, **more))


def pixels(image, count, scale, side=12):
    """Return the first row of the images in a grid, at their own size."""
    image = np.asarray(image)[::scale, ::scale]
    return [image[:side, i * (side + 1) : i * (side + 1) + side] for i in range(count)]


def same(image, images, scale):
    drawn = kerasgan.data.to_uint8(images)[..., 0]
    for found, expected in zip(pixels(image, len(drawn), scale), drawn, strict=True):
        np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


def test_pictures_are_those_of_sample():
    gan = small()
    gallery = Gallery(gan, "some")
    assert gallery.controls == []
    image = gallery.samples(9, 5, [])
    expected = pictures.show(gan.sample(9, seed=5))
    np.testing.assert_allclose(np.asarray(image, int), np.asarray(expected, int), atol=1)
    assert min(gallery.samples(1, 5, []).size) > 100  # Tiny pictures can be seen.
    assert gallery.command([], "-n", 9, "--seed", 5) == "kerasgan sample some -n 9 --seed 5"


def test_a_walk_goes_from_one_seed_to_the_other():
    gan = small()
    gallery = Gallery(gan, "some")
    for place, seed in ((0, 3), (STEPS, 8)):
        same(gallery.walk(3, 8, place, []), gan.sample(1, seed=seed), 16)
    middle = gan.interpolate(STEPS + 1, 3, 8)[STEPS // 2 :][:1]
    same(gallery.walk(3, 8, STEPS // 2, []), middle, 16)
    expected = pictures.show(gan.interpolate(8, 3, 8), columns=8)
    np.testing.assert_allclose(
        np.asarray(gallery.strip(3, 8, []), int), np.asarray(expected, int), atol=1
    )
    command = gallery.command([], "--interpolate", "3:8", "-n", 8)
    assert command == "kerasgan sample some --interpolate 3:8 -n 8"


def test_classes_are_chosen_by_name():
    gan = small(num_classes=3)
    gallery = Gallery(gan, "some", ["cat", "dog\n"])
    (control,) = gallery.controls
    assert control.choices == (("any", ANY), ("cat", 0), ("dog\\n", 1), ("2", 2))
    same(gallery.samples(3, 4, [1]), gan.sample(3, 4, labels=1)[:2], 16)
    np.testing.assert_array_equal(
        gallery.samples(9, 4, [ANY]), pictures.show(gan.sample(16, seed=4)[:9])
    )
    same(gallery.walk(1, 2, 0, [2]), gan.sample(1, 1, labels=2), 16)
    assert gallery.command([0], "-n", 3).endswith("-n 3 --label cat")
    assert gallery.command([2], "-n", 3).endswith("-n 3 --label 2")
    assert "--label" not in gallery.command([ANY], "-n", 3)


def test_codes_are_sliders_and_choices():
    gan = small(kerasgan.InfoGAN)
    gallery = Gallery(gan, "some")
    assert [control.name for control in gallery.controls] == gan.code_names
    assert gallery.controls[0].choices[:2] == (("any", ANY), ("0", 0))
    assert (gallery.controls[1].low, gallery.controls[1].high) == (-1.0, 1.0)
    codes = {"categorical_0": 3, "continuous_0": -0.5, "continuous_1": 0.0}
    same(gallery.samples(2, 5, [3, -0.5, 0.0]), gan.sample(2, 5, codes=codes), 16)
    del codes["categorical_0"]
    same(gallery.samples(2, 5, [ANY, -0.5, 0.0]), gan.sample(2, 5, codes=codes), 16)
    command = gallery.command([3, -0.5, 0.0], "-n", 2)
    assert command.endswith("--codes categorical_0=3,continuous_0=-0.5,continuous_1=0")


class Truncated(kerasgan.GAN):
    """A variant whose latent vectors can be shortened."""

    sampling_options = ("truncation",)

    def decode(self, z, labels=None, network=None, truncation=1.0):
        return super().decode(z * truncation, labels, network)


def test_a_truncation_is_a_slider(monkeypatch):
    option = catalogue.Option("truncation", "number", "shortens", 0.0, 1.0)
    entry = dataclasses.replace(catalogue.VARIANTS["gan"], sampling=(option,))
    monkeypatch.setitem(catalogue.VARIANTS, "gan", entry)
    gan = small(Truncated)
    gallery = Gallery(gan, "some")
    (control,) = gallery.controls
    assert (control.label, control.start, control.low, control.high) == ("Truncation", 1, 0, 1)
    same(gallery.samples(2, 5, [0.25]), gan.sample(2, 5, truncation=0.25), 16)
    assert gallery.command([0.25], "-n", 2).endswith("-n 2 --truncation 0.25")
    assert gallery.command([1.0], "-n", 2).endswith("-n 2")


def test_no_slider_compiles_anything(backend_name):
    if backend_name == "torch":
        pytest.skip("nothing is compiled on torch")
    gan = small(kerasgan.InfoGAN)
    gallery, traced = Gallery(gan, "some"), []
    decode = gan.decode

    def noted(*given, **more):
        traced.append(given)
        return decode(*given, **more)

    object.__setattr__(gan, "decode", noted)
    gallery.warm_up()
    assert gallery.most == SIZES[-1]
    before = len(traced)
    assert 0 < before <= len(SIZES)
    for count, values in ((1, [ANY, 0.1, 0.2]), (5, [3, 0.0, -1.0]), (40, [9, 1.0, 0.0])):
        gallery.samples(count, 7 * count, values)
        gallery.walk(count, 2, 30, values)
        gallery.strip(count, 2, values)
    assert len(traced) == before


def test_fewer_pictures_where_drawing_takes_long(monkeypatch):
    gan = small()
    gallery = Gallery(gan, "some")
    monkeypatch.setattr("kerasgan_cli.gallery.SECONDS", 0.0)
    assert gallery.warm_up().shape == (SIZES[0], 12, 12, 1)
    assert gallery.most == SIZES[0]


def test_without_gradio_there_is_the_pip_line(command, run_folder, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name)
    )
    code, _, err = command("ui", run_folder)
    assert code == 1 and "pip install 'kerasgan[ui]'" in err and err.count("\n") == 1


@pytest.fixture
def with_gradio(monkeypatch):
    """Let the command believe that Gradio is there: it is refused before it is imported."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: sys if name == "gradio" else found(name)
    )


def test_a_port_that_is_taken(command, with_gradio, run_folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = command("ui", run_folder, "--port", port)
    assert code == 2
    assert "--port must be a free port of 127.0.0.1" in err and f"Received: {port}" in err


def test_the_next_port_is_taken_where_none_is_asked_for(monkeypatch):
    with socket.socket() as other, socket.socket() as free:
        for listener in (other, free):
            listener.bind(("127.0.0.1", 0))
        other.listen()
        ports = [listener.getsockname()[1] for listener in (other, free)]
        free.close()
        monkeypatch.setattr(ui, "PORTS", ports)
        assert ui._free_port(None) == ports[1]
        monkeypatch.setattr(ui, "PORTS", ports[:1])
        with pytest.raises(click.UsageError, match="--port takes another one"):
            ui._free_port(None)


def test_the_head_of_the_page(run_folder, tmp_path):
    assert about(str(run_folder)) == (run_folder.name, ["GAN, trained on images.npz"])
    gan = small(latent_dim=4)
    gan.save(tmp_path / "m.keras")
    assert about(str(tmp_path / "m.keras")) == ("m.keras", [])
    gan.save_to_preset(tmp_path / "p", {"title": "Dots", "license": "cc0-1.0"})
    assert about(str(tmp_path / "p")) == ("Dots", ["Licence of the weights: cc0-1.0"])


def test_what_cannot_be_shown_is_refused(command, with_gradio, tmp_path):
    code, _, err = command("ui", "nothing_like_it")
    assert code == 2 and "PRESET must be one of the known names" in err
    kerasgan.GAN(*networks.mlp(8, 5, latent_dim=4, width=4, depth=1)).save(tmp_path / "5.keras")
    code, _, err = command("ui", tmp_path / "5.keras")
    assert code == 2 and "must have 1 to 4 channels" in err and "Received: 5 channels" in err
    broken = small(latent_dim=4)
    broken.generator.set_weights([w * np.nan for w in broken.generator.get_weights()])
    broken.ema_generator.set_weights(broken.generator.get_weights())
    broken.save(tmp_path / "nan.keras")
    code, _, err = command("ui", tmp_path / "nan.keras")
    assert code == 1 and "not finite" in err


@needs_gradio
def test_the_page_has_a_control_for_each_choice():
    from kerasgan_cli import page

    gallery = Gallery(small(kerasgan.InfoGAN), "some")
    built = page.build(gallery, "A <b>title</b>", ["one & two"])
    blocks = list(built.blocks.values())
    labels = {getattr(block, "label", None) for block in blocks}
    assert {"Seed", "Number of pictures", "categorical_0", "continuous_1"} <= labels
    heads = [block.value for block in blocks if type(block).__name__ == "HTML"]
    assert "A &lt;b&gt;title" in heads[0] and "one &amp; two" in heads[0]
    draw = page.drawer(gallery)
    image, command, *rest = draw(False, 3, 4, 1, 50, ANY, 0.5, 0.0)
    assert min(image.size) > 100 and "--seed 3" in command
    assert all(isinstance(value, dict) for value in rest)
    *rest, image, strip, command = draw(True, None, 4, 1, 50, ANY, 0.5, 0.0)
    assert strip.width > image.width / 2 and "--interpolate 0:1" in command


@pytest.fixture
def served(tmp_path, backend_name):
    """The command, as a process of its own: the process and the address of its page."""
    gan = small(kerasgan.InfoGAN)
    gan.save_to_preset(tmp_path / "p", {"title": "A <i>title</i>", "license": "cc0-1.0"})
    environment = {**os.environ, "KERAS_BACKEND": backend_name, "PYTHONUNBUFFERED": "1"}
    for name in ("http_proxy", "HTTP_PROXY"):  # Of which the page must know nothing.
        environment[name] = "http://127.0.0.1:9"
    process = subprocess.Popen(
        [sys.executable, "-m", "kerasgan_cli", "ui", str(tmp_path / "p")],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", lines.get(timeout=120))
        assert found, process.stderr.read()
        yield process, found[0]
    finally:
        process.terminate()
        process.wait(timeout=30)


@needs_gradio
@pytest.mark.slow
def test_ctrl_c_ends_it_cleanly(served):
    process, address = served
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10):
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert "Traceback" not in process.stderr.read()
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=1)


@needs_gradio
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_the_page_in_a_browser(served, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    _, address = served
    asked, errors = [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(address)
        shown = tab.locator(".picture img").first
        shown.wait_for()
        assert tab.title() == "A <i>title</i>"
        assert "cc0-1.0" in tab.inner_text(".about")
        first = shown.get_attribute("src")
        tab.get_by_label("Seed", exact=True).fill("7")
        changed = f"document.querySelector('.picture img').src !== {first!r}"
        tab.wait_for_function(changed)
        with tab.expect_download() as download:
            tab.get_by_label("Download").first.click()
        download.value.save_as(tmp_path / "d.png")
        tab.get_by_role("tab", name="Walk").click()
        tab.wait_for_function("document.querySelectorAll('.picture img').length >= 3")
        browser.close()
    with Image.open(tmp_path / "d.png") as image:
        assert image.format == "PNG" and min(image.size) > 100
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == [] and errors == []
