"""The site that `make docs` builds of these pages and the README; Sphinx's source directory is the repository."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

from avinst import __version__

sys.path.insert(0, str(Path(__file__).parent))
from flowcharts import flowchart_svg

project = f"avinst {__version__}"
html_title = project
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "docs/*.ipynb"]
exclude_patterns = [".*", "build", "demo*"]  # are not searched

extensions = ["myst_nb"]
nb_execution_mode = "off"  # notebooks are committed with what they print
nb_render_markdown_format = "myst"  # that of a cell, too: CommonMark alone has no tables
myst_heading_anchors = 4  # links to #headings are checked, by the names that code hosts give them
smartquotes = False  # flags are written with two hyphens, outside of code too

html_theme = "furo"
html_copy_source = False
html_static_path = ["site/site.css"]
html_css_files = ["site.css"]
html_extra_path = ["site/index.html"]  # leads from the top to the landing page
html_theme_options = {"navigation_with_keys": True}


def draw_flowcharts(app: Sphinx, name: str, source: list[str]) -> None:
    """Draws the pictures that code hosts make of blocks in Mermaid's language."""
    source[0] = re.sub(
        r"^```mermaid\n(.*?)^```$",
        lambda block: f"```{{raw}} html\n{flowchart_svg(block[1])}\n```",
        source[0],
        flags=re.MULTILINE | re.DOTALL,
    )


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Gives the landing page a hidden toctree for each of its lists of pages: heading to links, in their order."""
    if name != root_doc:
        return
    for title, section in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", source[0], flags=re.MULTILINE):
        links = re.findall(r"^\| \[(.*?)\]\(([^)#:]+)\.\w+\)", section, flags=re.MULTILINE)
        pages = [f"{text} <{page}>" for text, page in links]
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```", ""])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
    app.connect("source-read", draw_flowcharts)
