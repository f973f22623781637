"""The page: whole, self-contained, readable; and what a browser makes of it."""

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from kerasgan import pictures, report
from kerasgan.collapse import Decision, Detector, DiversityMetric, Entry, Journal, lost
from kerasgan.report.charts import line_chart, ticks

pytestmark = pytest.mark.numpy


def blobs(n, seed):
    rng = np.random.default_rng(seed)
    at = np.array([[4, 4], [4, 11], [11, 4], [11, 11]])[rng.integers(4, size=n)]
    at = at + rng.uniform(-2, 2, (n, 2))
    y, x = np.mgrid[:16, :16]
    r = (y - at[:, 0, None, None]) ** 2 + (x - at[:, 1, None, None]) ** 2
    return (2 * np.exp(-r / 6) - 1).astype("float32")[..., None]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run that collapsed at epoch 5 and was rescued."""
    folder = tmp_path_factory.mktemp("runs") / "0001-gan-blobs"
    (folder / "guard").mkdir(parents=True)
    (folder / "samples").mkdir()
    real = blobs(900, 0)
    metric = DiversityMetric(real, samples=300)
    journal, detect = Journal(), Detector()
    lost.write_exemplars(folder / "guard", metric)
    for epoch in range(1, 8):
        images = np.repeat(real[:3], 100, axis=0) if epoch == 5 else blobs(300, epoch)
        found = metric.measure(images)
        verdict = detect([*journal.current, found])
        said = verdict.state, verdict.sentence, verdict.evidence
        entry = Entry(epoch, 100 * epoch, found, *said)
        peaks = journal.peaks
        journal.add(entry)
        lost.write_check(folder / "guard", metric, entry, found, images, peaks, verdict.bad)
        if verdict.bad:
            journal.decide(Decision(epoch, 500, "rescue", verdict.sentence, ("new seeds",), 400))
        pictures.save_grid(folder / "samples" / f"epoch_{epoch:04d}.png", images[:16])
    journal.write(folder / "guard" / "journal.json")
    rows = "".join(f"{e},{1.2 + e / 10},{'nan' if e == 5 else 0.8}\n" for e in range(1, 8))
    (folder / "metrics.csv").write_text("epoch,critic_loss,generator_loss\n" + rows)
    report.write(folder)
    return folder


VOID = {"meta", "img", "input", "br"}


class Checker(HTMLParser):
    """Counts what is on the page, and what is left open."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.alone = [], [], True

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.images.append(attrs)
        for name in ("src", "href"):
            self.alone &= attrs.get(name, "data:").startswith("data:")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Of SVG: `<line/>`."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_self_contained(run):
    text = (run / "report.html").read_text()
    checker = Checker()
    checker.feed(text)
    assert not checker.open and checker.alone
    assert all(image.get("alt") for image in checker.images)
    assert "$" not in re.sub(r"base64,[^\"]*", "", text).replace("${", "")
    assert not re.search(r"https?://", text)
    assert "0001-gan-blobs" in text and "What it lost" in text
    assert "epoch 5, step 500: rescue" in text and "Back to step 400 with new seeds" in text
    assert 'max="6"' in text and "epoch 7" in text
    assert len(text) < 2_000_000


def test_lost_parts_come_with_the_greatest_loss_first(run):
    text = (run / "report.html").read_text()
    shares = [
        float(s) for s in re.findall(r"([\d.]+)% of the real images, 0.0% of the generated", text)
    ]
    assert len(shares) > 5 and shares == sorted(shares, reverse=True)
    assert "at most" in text  # It was generated earlier.


def test_a_healthy_run_says_so(tmp_path):
    (tmp_path / "guard").mkdir()
    metric = DiversityMetric(blobs(900, 0), samples=300)
    found = metric.measure(blobs(300, 1))
    journal = Journal()
    journal.add(Entry(1, 100, found, "healthy", "diversity 1.00"))
    journal.write(tmp_path / "guard" / "journal.json")
    text = report.write(tmp_path).read_text()
    assert "Nothing was lost, and colours" in text and "No pictures were kept" in text
    assert Journal.read(tmp_path / "guard" / "journal.json").entries == journal.entries


def test_a_run_of_an_earlier_version_is_read(tmp_path):
    """Its journal and its pictures have other names: a measurement was called a look."""
    run = shutil.copytree(Path(__file__).with_name("stored_run"), tmp_path / "run")
    journal = Journal.read(run / "guard" / "journal.json")
    assert [entry.state for entry in journal.entries] == ["learning", "healthy", "collapsed"]
    assert journal.entries[-1].measurement.cells == 0.1
    assert len(journal.current) == 2 and journal.attempts == journal.rescues == 1
    assert all(entry.evidence == () for entry in journal.entries)
    text = report.write(run).read_text()
    assert "9 of 10 parts of the real data were (nearly) missing" in text
    journal.write(run / "guard" / "journal.json")
    assert '"look"' not in (run / "guard" / "journal.json").read_text()
    again = Journal.read(run / "guard" / "journal.json")
    assert again.entries == journal.entries and again.decisions == journal.decisions


def test_real_images_stand_beside_the_newest_grid(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    grids = (folder / "report.html").read_text().count("data:image/webp")
    assert 'alt="Real images"' not in (folder / "report.html").read_text()
    pictures.save_grid(folder / "samples" / "real.png", blobs(16, 9))
    text = report.write(folder).read_text()
    assert text.index('id="grid"') < text.index('alt="Real images"')
    assert text.count("data:image/webp") == grids + 1  # It is no frame of the film.
    (folder / "samples" / "real.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert 'alt="Real images"' not in report.write(folder).read_text()


def test_a_folder_without_a_journal_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold guard/journal\.json"):
        report.write(tmp_path)
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "journal.json").write_text('{"entries": [{}]}')
    with pytest.raises(ValueError, match=r"must hold guard/journal\.json"):
        report.write(tmp_path)


def test_charts_leave_gaps_and_survive_anything():
    chart = line_chart({"a": [(1, 1.0), (2, float("nan")), (3, 2.0), (4, 3.0)]})
    assert chart.count("<polyline") == 2 and chart.count("<circle") == 1
    assert "Nothing was recorded" in line_chart({"a": []})
    assert "Nothing was recorded" in line_chart({"a": [(1, float("inf"))]})
    assert "<svg" in line_chart({"a": [(1, 5.0)]}, marks=[(1, "rescue", "<&>")])
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(1, 7, whole=True) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_it_without_scrolling_sideways(run, tmp_path, width):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs chromium")
    probe = tmp_path / "probe.html"
    page = html.escape((run / "report.html").read_text())
    # A frame may be as narrow as a phone; a headless window may not.
    probe.write_text(
        f'<title>?</title><iframe id="page" width="{width}" height="900" srcdoc="{page}"></iframe>'
        "<script>addEventListener('load', () => { document.title = "
        "document.getElementById('page').contentDocument.documentElement.scrollWidth; });</script>"
    )
    found = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", probe.as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    wide = re.search(r"<title>(\d+)</title>", found.stdout)
    assert wide and int(wide[1]) <= width
