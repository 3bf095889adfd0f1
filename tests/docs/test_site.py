"""The site as it is built and opened: nothing from elsewhere, no broken link, nothing wider than the screen."""

import subprocess
import sys

import pytest
from browser import browser
from command_blocks import PAGES, ROOT

pytestmark = pytest.mark.slow
ON_SITE = [*(page.removesuffix(".md") for page in PAGES), "docs/notebook"]


def build(source, output):
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-b", "html", "-c", "docs", "."]
    return subprocess.run([*command, str(output)], cwd=source, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    output = tmp_path_factory.mktemp("site") / "site"
    done = build(ROOT, output)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


def test_the_top_leads_to_the_landing_page(site, page):
    page.open(site / "index.html")
    page.events.clear()
    page.wait_for("Page.loadEventFired")
    assert page.evaluate("document.querySelector('h1').innerText") == "avinst"
    captions = page.evaluate("[...document.querySelectorAll('.sidebar-tree .caption')].map(one => one.innerText)")
    assert [caption.lower() for caption in captions] == ["tutorial", "how to", "reference", "explanation"]
    links = page.evaluate("[...document.querySelectorAll('.sidebar-tree a')].map(one => one.href)")
    names = {link.removeprefix(f"file://{site}/").removesuffix(".html") for link in links}
    assert set(ON_SITE) - {"docs/index"} <= names


@pytest.mark.parametrize("name", ON_SITE)
def test_a_page_needs_nothing_else_and_fits(site, page, name):
    file = site / f"{name}.html"
    for width in (1280, 400):
        page.open(file, width=width)
        asked = [event["request"]["url"] for event in page.of("Network.requestWillBeSent")]
        assert [url for url in asked if not url.startswith((f"file://{site}/", "data:"))] == []
        assert page.of("Runtime.exceptionThrown") == []
        broken = "[...document.images].filter(one => !one.naturalWidth).map(one => one.src)"
        assert page.evaluate(f"document.images.length ? {broken} : []") == []
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide on {width} px"
    # On a telephone columns can be read, and the table scrolls within itself.
    cells = "[...document.querySelectorAll('article td')].map(one => one.clientWidth)"
    assert all(cell >= 7 * 16 for cell in page.evaluate(cells))
    tables = "[...document.querySelectorAll('article table')].map(one => one.parentElement)"
    assert set(page.evaluate(f"{tables}.map(one => getComputedStyle(one).overflowX)")) <= {"auto"}
    links = "[...document.querySelectorAll('article a[href]')].map(one => one.href)"
    for link in page.evaluate(links):
        if link.startswith("file://"):
            path, _, anchor = link.removeprefix("file://").partition("#")
            target = site.__class__(path)
            assert target.is_file(), link
            assert not anchor or f'id="{anchor}"' in target.read_text(), link


def test_what_leads_nowhere_is_an_error(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("conf.py", "flowcharts.py"):
        (docs / name).write_text((ROOT / "docs" / name).read_text())
    (docs / "site").mkdir()
    for name in ("index.html", "site.css"):
        (docs / "site" / name).write_text("")
    (docs / "index.md").write_text("# Top\n\n## Group\n\n| [one](one.md) | |\n| --- | --- |\n")
    (docs / "one.md").write_text("# One\n\n[a](#one) [b](index.md#group)\n")
    assert build(tmp_path, tmp_path / "good").stderr == ""
    (docs / "one.md").write_text("# One\n\n[a](#none) [b](index.md#none) [c](lost.md) ![d](lost.png)\n")
    done = build(tmp_path, tmp_path / "bad")
    assert done.returncode == 1
    for lost in ("not found: 'none'", "'docs/index': 'none'", "lost.md", "lost.png"):
        assert lost in done.stderr, done.stderr
