"""A folder is replaced whole or not at all."""

import os

import pytest

from kerasgan.files import atomic_folder

pytestmark = pytest.mark.numpy


def write(path, name, fails=False):
    with atomic_folder(path) as temporary:
        temporary.mkdir()
        (temporary / name).touch()
        if fails:
            raise ValueError("no")


def test_a_folder_is_written_and_replaced_whole(tmp_path):
    path = tmp_path / "f"
    write(path, "a")
    write(path, "b")
    assert [p.name for p in path.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_what_fails_leaves_the_folder_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "f"
    with pytest.raises(ValueError, match="no"):
        write(path, "a", fails=True)
    assert not list(tmp_path.iterdir())
    write(path, "a")
    with pytest.raises(ValueError, match="no"):
        write(path, "b", fails=True)
    rename = os.rename

    def once(source, target):
        if target == path and (source / "b").exists():
            raise OSError("full")
        rename(source, target)

    monkeypatch.setattr(os, "rename", once)
    with pytest.raises(OSError, match="full"):
        write(path, "b")
    assert [p.name for p in path.iterdir()] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "f").touch()
    with pytest.raises(NotADirectoryError):
        write(tmp_path / "f", "a")
