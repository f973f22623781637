"""`kerasgan compare`: the table, the page, and scores on equal terms."""

import json
import re
import shutil

import numpy as np
import pytest
from small_runs import SMALL

from kerasgan import report
from kerasgan.report.compare import scores_text

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def pair(run_folder, tmp_path):
    """Two runs whose options differ a little, the second of which was rescued."""
    other = shutil.copytree(run_folder, tmp_path / "r" / "0002-gan-images")
    options = json.loads((other / "options.json").read_text())
    options["batch_size"] = 40
    options["penalties"] = [{"kind": "r1", "weight": 2.0}]
    options["run"]["guard"] = "warn"
    (other / "options.json").write_text(json.dumps(options))
    rows = "epoch,critic_loss,generator_loss,coverage,seconds\n1,0.5,1.5,0.25,70\n2,nan,1,0.5,75\n"
    (other / "metrics.csv").write_text(rows)
    journal = json.loads((other / "guard" / "journal.json").read_text())
    told = {"epoch": 1, "step": 1, "sentence": "it fell", "changes": [], "back_to": None}
    journal["decisions"] = [{**told, "action": "warn"}, {**told, "action": "warn"}]
    (other / "guard" / "journal.json").write_text(json.dumps(journal))
    return run_folder, other


def rows_of(said):
    """Return the lines of the tables by their first column, cells being two spaces apart."""
    cells = [re.split(r"  +", line) for line in said.splitlines() if line]
    return {first: rest for first, *rest in cells}


def test_the_table_has_what_the_runs_are_and_reached(command, pair, tmp_path):
    out = tmp_path / "page.html"
    code, said, err = command("compare", *pair, "--out", out)
    assert code == 0, err
    rows = rows_of(said)
    assert rows["images"] == ["80", "80"]
    assert rows["critic steps"] == ["1", "4"]
    assert rows["epochs"] == ["1", "2 of 1"]
    assert rows["time"][1] == "2 min 25 s"
    assert rows["critic loss"][1] == "nan" and rows["generator loss"][1] == "1.000"
    assert rows["coverage"] == ["-", "0.5000"]
    assert rows["guard"][1].startswith("warn; 2 warnings; ")
    assert rows["batch_size"] == ["64", "40"] and rows["penalties.r1.weight"] == ["-", "2.0"]
    assert rows["run.guard"] == ["rescue", "warn"]
    assert "networks.width" not in rows  # The same in both.
    assert said.endswith(f"wrote {out}\n")


def test_the_page_is_whole_and_alone(command, pair, tmp_path):
    out = tmp_path / "page.html"
    assert command("compare", *pair, "--out", out)[0] == 0
    page = out.read_text()
    assert page.count('<img alt="Generated images of') == 2
    assert re.findall(r"<h3>(.*?)</h3>", page)[:2] == ["Critic loss", "Generator loss"]
    assert "<h3>Coverage</h3>" in page and 'class="chart"' in page
    assert "<script" not in page and "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    code, _, err = command("compare", *pair, "--out", out)
    assert code == 2 and "--overwrite" in err
    assert command("compare", *pair, "--out", out, "--overwrite")[0] == 0


def test_a_run_of_somebody_else_is_text_alone(pair, tmp_path):
    options = json.loads((pair[1] / "options.json").read_text())
    options["data"]["name_or_path"] = SCRIPT
    (pair[1] / "options.json").write_text(json.dumps(options))
    (pair[1] / "metrics.csv").write_text(f"epoch,{SCRIPT}\n1,0.5\n")
    (pair[1] / "guard" / "journal.json").write_text(SCRIPT)
    (pair[1] / "samples" / "epoch_0001.png").write_text(SCRIPT)
    found = report.Comparison(pair)
    found.write(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<script" not in page and "No pictures." in page
    assert found.sides[1].guard == "warn"


def test_runs_of_one_name_are_told_apart(run_folder, tmp_path):
    other = shutil.copytree(run_folder, tmp_path / "s" / run_folder.name)
    names = [side.name for side in report.Comparison([run_folder, other]).sides]
    assert names == [f"r/{run_folder.name}", f"s/{run_folder.name}"]
    assert report.Comparison([run_folder, other]).differences() == []


@pytest.fixture
def scored(command, tmp_path, monkeypatch):
    """Two runs on the same 240 images."""
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    pixels = np.random.default_rng(1).integers(0, 256, (240, 12, 12), dtype="uint8")
    np.savez(tmp_path / "real.npz", images=pixels)
    given = ["--data", tmp_path / "real.npz", "--run-dir", tmp_path / "t", *SMALL]
    for more in (["--guard", "off"], ["--lr", "1e-3", "--guard", "off"]):
        assert command("train", "gan", *given, "--animation", "none", *more)[0] == 0
    return sorted((tmp_path / "t").glob("0*"))


EQUAL = ["--samples", 120, "--extractor", "random_projection"]


def test_scores_are_on_equal_terms(command, scored, tmp_path):
    out = tmp_path / "page.html"
    given = [*EQUAL, "--seed", 3, "--metrics", "coverage,ms_ssim", "--out", out]
    code, said, err = command("compare", *scored, *given)
    assert code == 0, err
    rows = rows_of(said)
    assert "120 generated images of each (seed 3) against 120 real ones of real.npz" in said
    for run, place in zip(scored, (0, 1), strict=True):
        json_file = tmp_path / f"{place}.json"
        own = ["--seed", 3, "--metrics", "coverage,ms_ssim", "--json", json_file]
        assert command("evaluate", run, *EQUAL, *own)[0] == 0
        stored = json.loads(json_file.read_text())["results"]
        for result in stored:
            cell = rows[result["name"]][place].split(" ")[0]
            assert float(cell) == pytest.approx(result["value"], abs=1e-3)
    assert "<h2>Scores on equal terms</h2>" in out.read_text()


def test_runs_on_other_images_need_data(command, pair, scored, tmp_path):
    both = [pair[0], scored[0]]
    out = ["--out", tmp_path / "page.html"]
    code, _, err = command("compare", *both, "--score", *EQUAL, *out)
    assert code == 2 and "--data is needed: the runs were trained on different images" in err
    assert not out[1].exists()
    more = ["--metrics", "coverage", "--data", tmp_path / "real.npz"]
    code, said, err = command("compare", *both, *EQUAL, *out, *more)
    assert code == 0 and "coverage" in said, err


def test_images_of_two_sizes_are_not_scored_together(command, scored, tmp_path):
    np.save(tmp_path / "large.npy", np.zeros((80, 16, 16), "uint8"))
    given = ["--data", tmp_path / "large.npy", "--run-dir", tmp_path / "u", *SMALL]
    assert command("train", "gan", *given, "--animation", "none", "--guard", "off")[0] == 0
    (other,) = (tmp_path / "u").glob("0*")
    out = ["--out", tmp_path / "page.html"]
    code, _, err = command(
        "compare", scored[0], other, *EQUAL, "--data", tmp_path / "real.npz", *out
    )
    assert code == 2 and "12x12x1" in err and "16x16x1" in err and not out[1].exists()
    code, said, _ = command("compare", scored[0], other, *out)
    assert code == 0 and "what differs in the options" in said


def test_the_best_score_is_marked():
    from kerasgan.metrics import Provenance, Result

    provenance = Provenance("m", "d", "e", "r", 10, 10, 0)

    def scores(*values, better="higher"):
        return [[Result("m", value, provenance, better, baseline=0.9)] for value in values]

    assert scores_text("abc", scores(0.1, 0.5, 0.5))[0][-1] == [1, 2]
    assert scores_text("ab", scores(0.1, 0.5, better="lower"))[0][-1] == [0]
    assert scores_text("ab", scores(0.8, 2.0, better="baseline"))[0][-1] == [0]
    assert scores_text("ab", scores(0.5, 0.5))[0][-1] == []
    assert scores_text("ab", scores(0.5, float("nan")))[0][-1] == [0]


def test_compare_refuses(command, run_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        ([run_folder], "there must be two runs or more"),
        ([run_folder, run_folder], "two or more different runs"),
        ([run_folder, tmp_path / "empty"], "is not a run folder"),
        ([run_folder, tmp_path / "none"], "does not exist"),
        ([run_folder, run_folder, "--metrics", "fid"], " frechet_distance, "),
    ):
        code, _, err = command("compare", *arguments)
        assert code in (1, 2) and words in err, err
    assert not (tmp_path / "compare.html").exists()


def test_an_epoch_may_have_steps_of_its_own(pair):
    options = json.loads((pair[0] / "options.json").read_text())
    options["length"] = {"epochs": 3, "steps_per_epoch": 7}
    (pair[0] / "options.json").write_text(json.dumps(options))
    facts = dict(report.Comparison(pair).facts())
    assert facts["critic steps"] == ["7", "4"] and facts["epochs"][0] == "1 of 3"
