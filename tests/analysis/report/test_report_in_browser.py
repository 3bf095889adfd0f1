"""The report in a browser: nothing fails, nothing is fetched, and it answers mouse, finger and keyboard."""

import dataclasses

import numpy as np
import pytest
from browser import browser

from analysis.report.page import render_report
from analysis.run_record import RunRecord

LABEL = "</script><script>document.title = 'taken'</script>"


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def file(toy_study, toy_pictures, toy_sounds, tmp_path_factory):
    """The toy study with one label of hostile text, and with pairs that are found and features that are dead."""
    label, result = next(iter(toy_study.correlations.items()))
    q_values = result.null.q_values.copy()
    q_values[1, 2] = 0.001
    rho = result.rho.copy()
    rho[0, :] = rho[:, 0] = np.nan
    tested = np.ones(rho.shape, dtype=bool)
    tested[2, result.audio_count] = False
    null = dataclasses.replace(result.null, q_values=q_values)
    changed = dataclasses.replace(
        result, names=(LABEL, *result.names[1:]), rho=np.where(tested, rho, np.nan), tested=tested, null=null
    )
    study = dataclasses.replace(toy_study, correlations={**toy_study.correlations, label: changed})
    cell = {"value": 0.5, "low": 0.4, "high": 0.6}
    scores = {"joint (this run)": {"recording": {"hit_at_1": cell, "map": cell}}}
    record = RunRecord("joint", scores, None, "avinst train", "avinst evaluate", "avinst analyze", {"keras": "3"})
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(study, toy_pictures, toy_sounds, record, title="Why"))
    return path, changed


def complaints(page):
    return [page.of(event) for event in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")]


def test_nothing_fails_nothing_is_fetched_and_all_is_there(page, file, toy_sounds):
    page.open(file[0])
    images = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth, () => 0)))"
    )
    assert len(images) > 10
    assert min(images) > 300
    seconds = page.evaluate(
        """Promise.all([...document.querySelectorAll("audio")].map(sound => new Promise(resolve => {
            sound.addEventListener("loadedmetadata", () => resolve(sound.duration));
            sound.addEventListener("error", () => resolve(-1));
            sound.load();
        })))"""
    )
    kept = [sound for sound in toy_sounds.values() if sound.kept is not None]
    assert kept
    assert len(seconds) == len(toy_sounds) + len(kept)
    assert all(0.9 < duration < 1.3 for duration in seconds)  # a second, and what MP3 adds to it
    assert page.evaluate("document.title") == "Why"
    requests = [event["request"]["url"] for event in page.of("Network.requestWillBeSent")]
    assert all(url.startswith(("data:", "file:///")) for url in requests)
    assert sum(url.startswith("file:") for url in requests) == 1
    assert complaints(page) == [[], [], []]


def test_a_policy_forbids_other_scripts_and_requests(page, file):
    page.open(file[0])
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.x = 1'}))")
    assert page.evaluate("window.x") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', error => error.name)") == "TypeError"
    assert "Content Security Policy" in str(page.of("Log.entryAdded"))


def test_a_link_to_a_label_shows_it_folded_or_not(page, file):
    def shown(first=""):
        return page.evaluate(
            f"""(async () => {{
                const part = document.querySelector("#label-2 > details");
                {first}
                await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
                return [part.open, Math.round(part.getBoundingClientRect().top)]; }})()"""
        )

    page.open(file[0])
    is_open, top = shown("location.hash = 'label-2';")
    assert is_open
    assert 0 <= top < 100
    page.open(file[0])
    is_open, top = shown("part.open = false; document.querySelector('nav a[href=\"#label-2\"]').click();")
    assert is_open
    assert 0 <= top < 100


def cell_of(page, result, row, column):
    """Where a cell of the first matrix is in the window."""
    page.evaluate("document.querySelector('figure[data-matrix]').scrollIntoView({block: 'start'})")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    left, top, width = page.evaluate(
        """new Promise(done => { const look = () => {
            const box = document.querySelector("figure[data-matrix] svg")?.getBoundingClientRect();
            box ? done([box.left, box.top, box.width]) : setTimeout(look, 20); }; look(); })"""
    )
    cell = width / (len(result.names) + 4)
    return left + (4.5 + column) * cell, top + (4.5 + row) * cell


TIP = "document.querySelector('figure[data-matrix] .tip').textContent"


def test_pointing_at_a_cell_shows_the_pair_with_rho_p_and_q(page, file):
    path, result = file
    page.open(path)
    audio, visual = 1, 2
    column = result.audio_count + visual
    page.move(*cell_of(page, result, audio, column))
    lines = page.evaluate(TIP).split("\n")
    assert lines[0] == f"{result.names[audio]} and {result.names[column]}"
    assert float(lines[1].removeprefix("rho = ")) == pytest.approx(result.rho[audio, column], abs=6e-4)
    p_value = float(lines[2].split(",")[0].removeprefix("p = "))
    assert p_value == pytest.approx(result.null.p_values[audio, visual], rel=0.05)  # two digits are shown
    assert lines[2].endswith("q = 0.0010")
    assert lines[3] == "significant after FDR correction"
    page.move(*cell_of(page, result, audio, 2))
    assert "within a modality" in page.evaluate(TIP)
    page.move(*cell_of(page, result, 0, column))
    assert page.evaluate(TIP).startswith(f"{LABEL} and ")
    assert "no correlation" in page.evaluate(TIP)
    page.move(*cell_of(page, result, 2, result.audio_count))
    assert "chosen on different halves" in page.evaluate(TIP)


def test_a_matrix_answers_keys_and_touch_on_a_phone(page, file):
    path, result = file
    page.open(path, width=360, height=740)
    place = cell_of(page, result, 2, 2)
    page.evaluate("document.querySelector('figure[data-matrix] svg').focus()")
    page.press("ArrowRight")
    page.press("ArrowDown")
    first = result.names[result.audio_count + 1]
    assert page.evaluate(TIP).startswith(f"{result.names[1]} and {first}\n")
    page.press("Escape")
    assert page.evaluate(TIP) == ""
    page.tap(*place)
    assert page.evaluate(TIP).startswith(f"{result.names[2]} and {result.names[2]}\n")


def test_figures_are_enlarged_and_left_by_keyboard(page, file):
    page.open(file[0])
    page.evaluate("document.querySelector('.exhibit button').focus()")
    page.press("Enter")
    shown = "document.querySelector('dialog[open] .count')?.textContent"
    # The first label has no matrix; its mean maps are enlarged in the same round, before the exhibits.
    in_section = "document.querySelector('.exhibit').closest('section').querySelectorAll('figure.enlarge')"
    count = page.evaluate(f"{in_section}.length")
    first = 1 + page.evaluate(f"[...{in_section}].findIndex((figure) => figure.classList.contains('exhibit'))")
    assert count > first + 1
    assert page.evaluate(shown) == f"{first} of {count}"
    shown_there = page.evaluate("document.querySelectorAll('.exhibit')[0].querySelectorAll('img').length")
    assert page.evaluate("document.querySelectorAll('dialog img').length") == shown_there >= 2
    heard_there = page.evaluate("document.querySelectorAll('.exhibit')[0].querySelectorAll('audio').length")
    assert page.evaluate("document.querySelectorAll('dialog audio').length") == heard_there >= 1
    forward = [("ArrowRight", place) for place in range(first + 1, count + 1)]
    for key, place in (*forward, ("ArrowRight", 1), ("ArrowLeft", count)):
        page.press(key)
        assert page.evaluate(shown) == f"{place} of {count}"
    page.press("Escape")
    assert page.evaluate(shown) is None
    assert page.evaluate("document.activeElement === document.querySelector('.exhibit button')")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_never_scrolls_sideways(page, file, width):
    page.open(file[0], width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = page.evaluate(
        """[...document.querySelectorAll("main *")].filter(e => !e.closest(".wide, svg") &&
            e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page, file, scheme):
    page.open(file[0], prefers_color_scheme=scheme)
    colours = page.evaluate(
        """(() => { const found = new Set(); const rgb = text => text.match(/[\\d.]+/g).map(Number);
        for (const e of document.querySelectorAll("h1, h2, p, a, th, td, small, caption, code, pre, li, button")) {
            let ground = e;
            while (ground && rgb(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
            const colour = ground ? getComputedStyle(ground).backgroundColor : "rgb(255, 255, 255)";
            found.add(JSON.stringify([rgb(getComputedStyle(e).color), rgb(colour)])); }
        return [...found].map(JSON.parse); })()"""
    )
    grounds = {tuple(ground[:3]) for _, ground in colours}
    assert ((255, 255, 255) in grounds) == (scheme == "light")
    for text, ground in colours:
        assert contrast(text, ground) >= 4.5, (text, ground)


def contrast(first, second):
    """WCAG's, from 1 to 21."""
    shares = [np.array(colour[:3]) / 255 for colour in (first, second)]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in shares]
    bright, dark = sorted((float(c @ [0.2126, 0.7152, 0.0722]) for c in linear), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_print_shows_all_that_was_folded_and_no_controls(page, file, tmp_path):
    page.open(file[0])
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = false)")
    page.call("Emulation.setEmulatedMedia", media="print")
    hidden = "e => e.getClientRects().length === 0"
    assert page.evaluate(f"[...document.querySelectorAll('audio, .zoomable, .matrix > svg')].every({hidden})")
    page.call("Emulation.setEmulatedMedia", media="")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 3
    assert page.pdf().startswith(b"%PDF")


def test_without_a_script_the_picture_of_the_matrix_stands_there(page, file):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(file[0])
        tree = page.call("DOM.getDocument", depth=-1)["root"]
        assert "dialog" not in names_of(tree)
        matrix = page.call("DOM.querySelector", nodeId=tree["nodeId"], selector="figure[data-matrix] > img")
        box = page.call("DOM.getBoxModel", nodeId=matrix["nodeId"])["model"]
        assert box["width"] > 300
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


def names_of(node):
    yield node["nodeName"].lower()
    for child in node.get("children", ()):
        yield from names_of(child)
