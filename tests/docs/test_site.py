"""The documentation site: built strictly, whole, and readable on a phone."""

import functools
import html.parser
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHONE = 360
pytestmark = pytest.mark.numpy


def of_the_site(test):
    """Mark a test that needs the site, which one process builds for all of them."""
    return pytest.mark.slow(pytest.mark.xdist_group("site")(test))


def test_tables_are_what_the_results_say(script):
    for path, text in script("pages").written().items():
        assert text == path.read_text(encoding="utf-8"), f"{path}: run tools/docs/pages.py"


def test_every_experiment_runs_and_has_a_table(script):
    names = [name for name, _, _ in script("scripts").experiments()]
    assert len(names) > 10
    for name in names:
        module = script(name)
        assert callable(module.run) and callable(module.table), name
        assert f"python benchmarks/{name}.py" in module.__doc__, name


def test_pages_read_as_files():
    """No page but the reference has a directive of the site, and every link to a file finds it."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        directives = r"^(--8<--|:::|!!!|\?\?\?|===)|\{ *[#.:]\w"
        if path.parent.name != "reference":
            assert not re.search(directives, re.sub(r"\$.*?\$", "", text), re.MULTILINE), path
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if not target.startswith(("http:", "https:")):
                assert (path.parent / target).exists(), (path, target)


def test_variant_pages_have_the_same_headings():
    headings = ["Overview", "Usage", "Equations", "Implementation details", "Results"]
    for path in (ROOT / "docs" / "variants").glob("*.md"):
        if path.stem not in ("index", "ingredients"):
            assert re.findall(r"^## (.*)$", path.read_text(), re.MULTILINE) == headings, path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-2000:]
    return folder


class _Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.pictures, self.sources = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.pictures.append(attrs)
        if tag in ("img", "script", "link", "iframe"):
            self.sources.append(attrs.get("src") or attrs.get("href") or "")


@of_the_site
def test_pictures_have_words_and_nothing_is_fetched_from_elsewhere(site):
    for path in site.rglob("*.html"):
        page = _Page(path.read_text())
        for attrs in page.pictures:
            assert len(attrs.get("alt", "")) > 20, (path, attrs)
        for source in page.sources:
            assert not source.startswith(("http:", "https:", "//")), (path, source)


@of_the_site
def test_no_equation_is_left_as_tex(site):
    for path in (site / "variants").rglob("*.html"):
        text = path.read_text()
        assert "arithmatex" not in text and "$$" not in text, path
    assert (site / "variants" / "wgan_gp" / "index.html").read_text().count("<math") >= 4


@of_the_site
def test_no_page_is_wider_than_a_phone(site):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs chromium")
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    frames = "".join(
        f'<iframe src="/{page}" width="{PHONE}" height="900"></iframe>' for page in pages
    )
    (site / "probe.html").write_text(
        f"<title>?</title>{frames}<script>addEventListener('load', () => {{"
        "document.title = JSON.stringify([...document.querySelectorAll('iframe')].map("
        "frame => frame.contentDocument.documentElement.scrollWidth));});</script>"
    )
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/probe.html"
        found = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", address],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        server.shutdown()
    title = re.search(r"<title>(\[.*?\])</title>", found.stdout)
    assert title, found.stdout[:500]
    widths = dict(zip(pages, json.loads(title[1]), strict=True))
    assert {page: width for page, width in widths.items() if width > PHONE} == {}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass
