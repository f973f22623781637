"""What a run folder that comes from somebody else may not do to the page about it."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from kerasgan import report
from kerasgan.collapse import Journal

pytestmark = pytest.mark.numpy
STORED = Path(__file__).parents[1] / "collapse" / "stored_run"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(STORED, tmp_path / "run"))


def change(run, where, name, value):
    path = run / "guard" / "journal.json"
    stored = json.loads(path.read_text())
    (stored[where][0] if isinstance(stored[where], list) else stored[where])[name] = value
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("entries", "state", SCRIPT),
        ("entries", "state", ["healthy"]),
        ("entries", "epoch", SCRIPT),
        ("entries", "step", 1.5),
        ("entries", "sentence", None),
        ("entries", "evidence", SCRIPT),
        ("entries", "more", 1),
        ("decisions", "action", SCRIPT),
        ("decisions", "epoch", SCRIPT),
        ("decisions", "step", True),
        ("decisions", "back_to", SCRIPT),
        ("decisions", "changes", [1]),
    ],
)
def test_fields_that_no_journal_has(run, where, name, value):
    change(run, where, name, value)
    with pytest.raises(ValueError, match=r"must hold guard/journal\.json"):
        report.write(run)


@pytest.mark.parametrize("value", [SCRIPT, {"a": 1}, ["0.5"]])
def test_measurements_are_numbers(run, value):
    path = run / "guard" / "journal.json"
    stored = json.loads(path.read_text())
    found = stored["entries"][0]
    found["look" if "look" in found else "measurement"]["diversity"] = value
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=r"must hold guard/journal\.json"):
        report.write(run)


def test_text_is_escaped_and_no_other_script_may_run(run, tmp_path):
    for where in ("entries", "decisions"):
        change(run, where, "sentence", SCRIPT)
    (run / "options.json").write_text(json.dumps({"classes": [SCRIPT], "variant": SCRIPT}))
    (run / "samples").mkdir()
    frame = run / "samples" / "<script>alert(1)<!--.png"
    from PIL import Image

    Image.new("RGB", (8, 8)).save(frame)
    page = report.write(run, [frame]).read_text()
    assert SCRIPT not in page and page.count("<script>") == 1 and "<!--" not in page
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy and re.search("script-src 'sha256-[^ ]{44}'", policy)


def test_the_script_is_the_one_that_the_policy_allows(run):
    import base64
    import hashlib

    from PIL import Image

    frame = run / "epoch_0001.png"
    Image.new("RGB", (8, 8)).save(frame)
    page = report.write(run, [frame]).read_bytes().decode()
    script = re.search("<script>(.*)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page


@pytest.mark.parametrize("name", ["guard/journal.json", "guard/check.npz", "guard/cells.npz"])
def test_pipes_are_not_read(run, name):
    path = run / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    try:
        report.write(run)
    except ValueError as error:
        assert "no regular file" in str(error)


def test_places_that_are_not_there(run):
    path = run / "guard" / "journal.json"
    stored = json.loads(path.read_text())
    stored["current"] = [10**6]
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="must hold places of checks"):
        Journal.read(path)


def test_metrics_that_are_no_text_leave_the_page_whole(run):
    (run / "metrics.csv").write_bytes(b"epoch,critic_loss\n1,\xff\xfe\n")
    assert "Losses" in report.write(run).read_text()
