"""The notebook of docs/: it is what `make notebook` made of its source, holds no trace of a machine, and runs."""

import ast
import base64
import importlib.util
import io
import re
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
PAGE_SPEC = importlib.util.spec_from_file_location("notebook_page", DOCS / "notebook_page.py")
PAGE = importlib.util.module_from_spec(PAGE_SPEC)
PAGE_SPEC.loader.exec_module(PAGE)

SOURCE = PAGE.SOURCE_FILE.read_text()
MADE = nbformat.read(PAGE.NOTEBOOK_FILE, as_version=4)
CODE = [cell for cell in MADE.cells if cell.cell_type == "code"]
TEXT = [cell for cell in MADE.cells if cell.cell_type == "markdown"]
OUTPUTS = [output for cell in CODE for output in cell.outputs]
PICTURES = [output.data["image/png"] for output in OUTPUTS if "image/png" in output.get("data", {})]
# The only cells that show nothing: the imports, and the training.
SILENT = ("%matplotlib inline", "run = trainer.fit(")
# What the test that runs all cells has smaller: of the source, each once.
SMALL = {
    "videos_per_instrument=80": "videos_per_instrument=24",
    "frame_size=96": "frame_size=48",
    "permutations=1000": "permutations=100",
    "seconds=8.0": "seconds=2.0",
}


def test_it_was_made_of_the_source_as_it_is():
    nbformat.validate(MADE)
    expected = PAGE.notebook_of(SOURCE)
    cells = [[(cell.id, cell.cell_type, cell.source) for cell in notebook.cells] for notebook in (MADE, expected)]
    assert cells[0] == cells[1], "run make notebook"
    assert MADE.metadata == expected.metadata


def test_all_cells_were_run_in_their_order_and_show_something():
    assert [cell.execution_count for cell in CODE] == list(range(1, len(CODE) + 1))
    assert [cell.source.splitlines()[0] for cell in CODE if not cell.outputs] == list(SILENT)
    assert {output.output_type for output in OUTPUTS} == {"stream", "display_data", "execute_result"}
    assert {output.name for output in OUTPUTS if output.output_type == "stream"} == {"stdout"}


def test_it_holds_no_trace_of_a_machine_or_a_time():
    assert all(not cell.metadata for cell in MADE.cells)
    texts = [cell.source for cell in MADE.cells]
    for output in OUTPUTS:
        assert not output.get("metadata")
        shown = output.get("data", {"text/plain": output.get("text")})
        texts += [text for kind, text in shown.items() if kind != "image/png"]
    for text in texts:
        found = re.search(r"(?<![\w.])[/~]\w+/|\b[A-Z]:\\|://|0x[0-9a-f]{6}|\d{4}-\d\d-\d\d|\d\d:\d\d", text)
        assert not found, found


def test_it_is_small_and_so_are_its_pictures():
    assert PAGE.NOTEBOOK_FILE.stat().st_size < 600_000
    assert len(PICTURES) > 8
    for picture in PICTURES:
        image = Image.open(io.BytesIO(base64.b64decode(picture)))
        assert max(image.size) < 1200
        colours = image.convert("RGB").getcolors(1 << 20)
        assert 3 < len(colours) <= 256  # neither empty nor as matplotlib writes it
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_step_is_a_few_lines_of_python():
    for cell in CODE:
        ast.parse(re.sub(r"^%", "# %", cell.source, flags=re.MULTILINE))
        lines = cell.source.splitlines()
        assert len(lines) <= 12, cell.source
        assert max(map(len, lines)) <= 90, "wider than the site shows"


def test_the_text_states_no_result():
    """Another run would make it wrong."""
    for cell in TEXT:
        assert not re.search(r"\d\.\d|\d ?%(?! intervals)", cell.source), cell.source


def test_its_links_lead_somewhere():
    links = [link for cell in TEXT for link in re.findall(r"\]\(([^)]+)\)", cell.source)]
    assert len(links) > 3
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_source_is_read_cell_by_cell():
    text = "# %% [markdown]\n# # Title\n#\n# Text, 50 %.\n\n"
    source = f'"""About."""\n\n{text}# %%\n# %magic x\n# comment\na = 1\n\n# %%\na\n'
    cells = PAGE.notebook_of(source).cells
    assert [(cell.id, cell.cell_type, cell.source) for cell in cells] == [
        ("cell-00", "markdown", "# Title\n\nText, 50 %."),
        ("cell-01", "code", "%magic x\n# comment\na = 1"),
        ("cell-02", "code", "a"),
    ]


@pytest.mark.parametrize(
    ("cell", "error"), [("import sys; sys.stderr.write('noise')", RuntimeError), ("1 / 0", CellExecutionError)]
)
def test_a_cell_that_fails_or_makes_noise_is_an_error(cell, error, tmp_path):
    with pytest.raises(error, match=r"noise|ZeroDivisionError"):
        PAGE.execute(PAGE.notebook_of(f"# %%\n{cell}\n"), str(tmp_path))


@pytest.mark.slow
def test_the_cells_run_without_an_error_or_noise(tmp_path):
    source = SOURCE
    for whole, small in SMALL.items():
        assert source.count(whole) == 1, whole
        source = source.replace(whole, small)
    notebook = PAGE.notebook_of(source)
    PAGE.execute(notebook, str(tmp_path))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kinds = [[output.output_type for output in cell.outputs] for cell in code]
    assert kinds == [[output.output_type for output in cell.outputs] for cell in CODE]
