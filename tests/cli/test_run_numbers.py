"""The numbers of runs that start at one moment."""

import collections
import contextlib
import os
import threading

from kerasgan_cli.runs import Run


def test_runs_that_start_at_one_moment_have_numbers_of_their_own(tmp_path):
    names, rounds = ("gan-x", "wgan-x", "r3gan-x", "sngan-x"), 20
    barrier = threading.Barrier(len(names))

    def start(name):
        for _ in range(rounds):
            barrier.wait()
            Run.create(tmp_path, name, {})

    threads = [threading.Thread(target=start, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = collections.Counter(name.split("-")[0] for name in os.listdir(tmp_path))
    assert sum(numbers.values()) == len(names) * rounds
    assert max(numbers.values()) == 1


def test_a_claim_that_a_killed_process_left_is_passed_over(tmp_path):
    (tmp_path / ".0001").mkdir()
    assert Run.create(tmp_path, "gan-x", {}).folder.name == "0002-gan-x"
    assert sorted(os.listdir(tmp_path)) == [".0001", "0002-gan-x"]


def test_a_claim_of_long_ago_is_taken_back(tmp_path):
    (tmp_path / ".0001").mkdir()
    os.utime(tmp_path / ".0001", (0, 0))
    assert Run.create(tmp_path, "gan-x", {}).folder.name == "0001-gan-x"
    assert os.listdir(tmp_path) == ["0001-gan-x"]


def test_a_run_appears_with_its_options(tmp_path, monkeypatch):
    def fail(self, options):
        raise OSError("the disk is full")

    monkeypatch.setattr(Run, "write_options", fail)
    for _ in range(2):
        with contextlib.suppress(OSError):
            Run.create(tmp_path, "gan-x", {})
    assert all(name.startswith(".tmp-") for name in os.listdir(tmp_path))


def test_colons_become_hyphens(tmp_path):
    assert Run.create(tmp_path, "gan-avatars:a,b", {}).folder.name == "0001-gan-avatars-a,b"


def test_names_as_long_as_names_may_be(tmp_path):
    run = Run.create(tmp_path, "n" * 255, {"a": 1})
    assert run.options_file.exists() and run.folder.name.startswith("0001-nnn")
