"""Makes docs/notebook.ipynb: runs the cells of docs/notebook.py in a folder of their own, keeps what they show.

python docs/notebook_page.py
"""

import base64
import io
import os
import re
import tempfile
from pathlib import Path

import matplotlib.font_manager
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode, v4
from PIL import Image

ROOT = Path(__file__).parents[1]
SOURCE_FILE = Path(__file__).with_name("notebook.py")
NOTEBOOK_FILE = Path(__file__).with_name("notebook.ipynb")
_CELL_MARK = re.compile(r"^# %%(| \[markdown\])\n", flags=re.MULTILINE)
# What a kernel would fill in differs from machine to machine.
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
_CELL_SECONDS = 1800
_COLOURS = 256


def notebook_of(source: str) -> NotebookNode:
    """The notebook before it is run.

    Args:
        source: cells in the percent format. `# %%` begins a cell of code, `# %% [markdown]` one of text, whose
            lines are comments. `# %name` is a magic command. What stands before the first cell is left out.
    """
    _, *parts = _CELL_MARK.split(source)
    cells = []
    for number, (kind, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        if kind:
            cell = v4.new_markdown_cell(re.sub(r"^# ?", "", text.strip(), flags=re.MULTILINE))
        else:
            cell = v4.new_code_cell(re.sub(r"^# (?=%\w)", "", text.strip(), flags=re.MULTILINE))
        cell.id = f"cell-{number:02d}"  # by default a random one
        cells.append(cell)
    return v4.new_notebook(cells=cells, metadata=_METADATA)


def execute(notebook: NotebookNode, folder: str) -> None:
    """Runs all cells in a kernel, with this repository's code; the notebook then holds what they show.

    Args:
        notebook: as `notebook_of` gives it; changed.
        folder: where the cells run, and where they leave their files.

    Raises:
        CellExecutionError: a cell failed.
        RuntimeError: a cell wrote to stderr.
    """
    # Makes its list of fonts, if there is none yet: where that takes long, the kernel would tell of it.
    matplotlib.font_manager.get_font_names()
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": folder}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # it would warn of other users of this machine
    )
    # Without what whoever runs this has IPython do at its start.
    client.execute(env=os.environ | {"PYTHONPATH": search, "IPYTHONDIR": folder})
    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RuntimeError(f"{cell.id} wrote to stderr:\n{output.text}\nits source:\n{cell.source}")
            picture = output.get("data", {}).get("image/png")
            if picture:
                output["data"]["image/png"] = _of_few_colours(picture)


def _of_few_colours(png: str) -> str:
    """The picture in a third of the bytes, both in base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    buffer = io.BytesIO()
    # Octrees keep the colours of colour bars, which are few pixels; median cuts, Pillow's default, drop them.
    few = picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    white = few.getpixel((0, 0))  # the margin's, which would else be mixed with what is almost white
    few.putpalette([255 if index // 3 == white else value for index, value in enumerate(few.getpalette() or [])])
    few.save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def main() -> None:
    """Runs docs/notebook.py and writes docs/notebook.ipynb; where a cell fails, the old one stays."""
    notebook = notebook_of(SOURCE_FILE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        execute(notebook, folder)
    NOTEBOOK_FILE.write_text(f"{nbformat.writes(notebook)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
