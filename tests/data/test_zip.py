"""Zip files of images: read as the folder that they were made of, and of strangers with care."""

import io
import json
import os
import re
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, load, zip_files
from kerasgan.data.content import differences

pytestmark = pytest.mark.numpy


def png(value=0, size=8, mode="L"):
    memory = io.BytesIO()
    Image.new(mode, (size, size), value).save(memory, "PNG")
    return memory.getvalue()


def write(path, members, **options):
    """Write a zip file of members by their names."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def read(path, **options):
    return load(
        path, **{"image_size": 8, "batch_size": 1, "max_bad": 1, "shuffle": False, **options}
    )


def reasons(path, **options):
    return dict(read(path, **options).skipped)


@pytest.fixture
def root(tmp_path, rng):
    for name in ("ant", "bee"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(4):
            pixels = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{i}.png")
    return tmp_path / "pictures"


def zipped(root, path, wrapper=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in root.rglob("*"):
            archive.write(file, os.path.join(wrapper, file.relative_to(root)))
    return path


@pytest.mark.parametrize("wrapper", ["", "pictures"])
def test_a_zip_is_the_folder_that_it_was_made_of(root, tmp_path, wrapper):
    (root / "bee" / "notes.txt").write_text("no image")
    options = {"image_size": 8, "batch_size": 2, "max_bad": 0.2}
    folder = load(root, **options)
    found = load(zipped(root, tmp_path / "a.zip", wrapper), **options)
    np.testing.assert_array_equal(found.images, folder.images)
    assert found.labels.tolist() == folder.labels.tolist() == [0] * 4 + [1] * 4
    assert found.class_names == ["ant", "bee"]
    assert found.skipped == folder.skipped == [("bee/notes.txt", "not an image")]
    assert found.content == folder.content
    assert not list(tmp_path.glob("*/ant.png")), "nothing is unpacked"


def test_other_images_in_a_zip_have_another_content(root, tmp_path):
    before = load(zipped(root, tmp_path / "a.zip"), image_size=8, batch_size=2).content
    path = root / "bee" / "0.png"
    path.write_bytes(path.read_bytes().replace(b"IDAT", b"IDAU"))
    after = load(zipped(root, tmp_path / "a.zip"), image_size=8, batch_size=2, max_bad=1).content
    assert any("number of files is 7, not 8" in line for line in differences(before, after))


def test_a_zip_that_changed_is_decoded_anew(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(10)})
    assert read(path).images[0, 0, 0, 0] == 10
    write(path, {"1.png": png(200), "2.png": png(201)})
    assert read(path).images[:, 0, 0, 0].tolist() == [200, 201]


def test_what_a_system_adds_is_left_out_without_a_word(tmp_path):
    members = {"p/1.png": png(), "__MACOSX/p/._1.png": b"x", "p/.DS_Store": b"x", "p/": b""}
    assert reasons(write(tmp_path / "a.zip", members)) == {}


def test_paths_of_windows_are_paths(tmp_path):
    path = write(tmp_path / "a.zip", {"p\\ant\\1.png": png(), "p\\bee\\1.png": png()})
    assert read(path).class_names == ["ant", "bee"]


STRANGE = {
    "../out.png": "a path that leaves the archive",
    "a/../../out.png": "a path that leaves the archive",
    "/etc/out.png": "an absolute path",
    "C:\\out.png": "an absolute path",
    "more.zip": "an archive inside the archive",
    "more.tar.gz": "an archive inside the archive",
    "empty.png": "empty file",
}


def test_paths_that_leave_and_archives_inside_are_skipped_with_their_reason(tmp_path):
    members = {name: b"" if name == "empty.png" else png() for name in STRANGE}
    (tmp_path / "sub").mkdir()
    path = write(tmp_path / "sub" / "a.zip", {"good.png": png(7), **members})
    found = read(path)
    assert found.images[:, 0, 0, 0].tolist() == [7]
    told = [reason for _, reason in found.skipped]
    for reason in STRANGE.values():
        assert any(reason in line for line in told), (reason, told)
    assert len(told) == len(STRANGE)
    assert not list(tmp_path.rglob("out.png"))


def test_links_are_skipped(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.png", png())
        archive.writestr(link, "/etc/passwd")
    assert reasons(tmp_path / "a.zip") == {"link.png": "a link"}


def flagged(path, flag):
    """Set a flag of every member, in both of its headers."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        for match in re.finditer(re.escape(signature), bytes(data)):
            data[match.start() + offset] |= flag
    path.write_bytes(data)


def test_an_encrypted_zip_says_so(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(), "2.png": png()})
    flagged(path, 1)
    with pytest.raises(DataError, match=r"(?s)1\.png: encrypted.*2 bad of 2 files"):
        load(path, image_size=8)


def test_other_ways_of_packing_are_refused(tmp_path):
    path = write(tmp_path / "a.zip", {"good.png": png()})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("other.png", png())
    assert reasons(path) == {"other.png": "packed by a method other than deflate"}


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    zeros = b"\0" * (80 << 20)
    path = write(tmp_path / "a.zip", {"1.bmp": zeros}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"zip file that can be read.*would unpack to 84 MB"):
        load(path, image_size=8)
    path = write(tmp_path / "b.zip", {"good.png": png(), "1.bmp": zeros[: 20 << 20]},
                 compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    assert re.fullmatch(r"would unpack to [\d,]+ times its size", reasons(path)["1.bmp"])
    monkeypatch.setattr(zip_files, "LARGEST", 1000)
    path = write(tmp_path / "c.zip", {"good.png": png(), "large.png": os.urandom(2000)})
    assert reasons(path) == {"large.png": "would unpack to more than 0 MiB"}


def test_a_member_that_is_larger_than_it_says_is_damaged(tmp_path):
    path = write(tmp_path / "a.zip", {"good.png": png(), "lies.png": png(1) + b"\0" * 5000},
                 compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\1\2")
    data[at + 24 : at + 28] = struct.pack("<I", 100)  # Its size in the list of members.
    path.write_bytes(data)
    assert "Bad CRC-32" in reasons(path)["lies.png"]


def test_damaged_members_are_skipped_and_damaged_archives_refused(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.png": png(2), "text.png": b"text"})
    data = bytearray(path.read_bytes())
    data[data.find(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(data)
    assert "cannot be decoded" in reasons(path)["1.png"]
    assert reasons(path)["text.png"] == "not an image"
    path.write_bytes(data[:-30])
    with pytest.raises(DataError, match=r"zip file that can be read.*no zip archive"):
        load(path, image_size=8)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="zip file that can be read"):
        load(path, image_size=8)


def test_a_zip_without_files_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"a zip file with images.*no files"):
        load(write(tmp_path / "a.zip", {}), image_size=8)


def stylegan(labels):
    members = {f"0000{i % 2}/img{i}.png": png(i) for i in range(4)}
    return {**members, "dataset.json": labels if isinstance(labels, str) else json.dumps(labels)}


PAIRS = [[f"0000{i % 2}/img{i}.png", label] for i, label in enumerate((6, 0, 0, 3))]


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_labels_of_stylegan(tmp_path, form):
    members = stylegan({"labels": [*PAIRS, ["gone.png", 1]]})
    path = tmp_path / "d.zip"
    write(path, members)
    if form == "folder":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "d")
        path = tmp_path / "d"
    with pytest.warns(UserWarning, match="labels of 1 file that cannot be found, as gone.png"):
        found = read(path)
    assert found.images[:, 0, 0, 0].tolist() == [0, 2, 1, 3]
    assert found.labels.tolist() == [6, 0, 0, 3]
    assert (found.class_names, found.skipped) == (None, [])
    before = found.content
    members["dataset.json"] = members["dataset.json"].replace("6", "5")
    write(tmp_path / "d.zip", members)
    if form == "folder":
        (path / "dataset.json").write_text(members["dataset.json"])
    (line,) = differences(before, read(path).content)
    assert line.startswith("the labels have the hash")


def test_one_hot_labels_are_classes(tmp_path):
    pairs = [[path, [float(i == label) for i in range(7)]] for path, label in PAIRS]
    found = read(write(tmp_path / "a.zip", stylegan({"labels": pairs})))
    assert found.labels.tolist() == [6, 0, 0, 3]


@pytest.mark.parametrize("none", [None, []])
def test_no_labels_are_none_though_there_are_folders(tmp_path, none):
    found = read(write(tmp_path / "a.zip", stylegan({"labels": none})))
    assert found.labels is None and found.unlabelled == "dataset.json has no labels"


def test_a_file_of_this_name_without_labels_is_somebody_elses(tmp_path):
    found = read(write(tmp_path / "a.zip", stylegan({"title": "insects"})))
    assert found.class_names == ["00000", "00001"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("{", "`dataset.json` must be a text of JSON"),
        ({"labels": 3}, r"list of pairs.*Received: 3"),
        ({"labels": [["a.png"]]}, "list of pairs"),
        ({"labels": [["a.png", -1]]}, "number of a class, from 0.*Received: -1"),
        ({"labels": [["a.png", [0.5, 0.5]]]}, "number of a class"),
        ({"labels": PAIRS[:2]}, r"label for each image.*none for 2 of 4 images, as 00000/img2.png"),
    ],
)
def test_labels_that_do_not_match_are_refused(tmp_path, labels, words):
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(write(tmp_path / "a.zip", stylegan(labels)))


def test_a_zip_by_another_name_is_asked_for_its_ending(tmp_path):
    path = write(tmp_path / "a.pictures", {"1.png": png()})
    with pytest.raises(DataError, match=r"a folder, a \.zip, an \.npz or an \.npy file"):
        load(path, image_size=8)
