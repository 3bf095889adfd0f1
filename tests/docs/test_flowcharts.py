"""The site's pictures have every box and arrow of the blocks that they are drawn from, and no box on another."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    block
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"^```mermaid\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)
]
module_spec = importlib.util.spec_from_file_location("docs_flowcharts", DOCS / "flowcharts.py")
flowcharts = importlib.util.module_from_spec(module_spec)
module_spec.loader.exec_module(flowcharts)


def boxes(svg):
    found = re.findall(r'<rect x="(-?\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', svg)
    return [tuple(map(int, box)) for box in found]


def test_a_small_picture():
    svg = flowcharts.flowchart_svg('flowchart TD\n  %% none\n  a["one"] --> b("two.three") & c\n  b --> c\n')
    assert re.findall(r"<text[^>]*>([^<]*)<", svg) == ["one", "two.", "three", "c"]
    assert svg.count("marker-end") == 3
    assert [y for _, y, _, _ in boxes(svg)] == [4, 88, 172]  # a above b above c
    assert 'aria-label="one to two.three; one to c; two.three to c"' in svg


@pytest.mark.parametrize("block", BLOCKS)
def test_the_pictures_of_the_pages(block):
    svg = flowcharts.flowchart_svg(block)
    nodes = set(re.findall(r'(\w+)[\[({/]+"', block))
    edges = sum(
        len(re.split("&", one)) * len(re.split("&", other))
        for line in block.splitlines()
        for one, other in zip(line.split("-->"), line.split("-->")[1:], strict=False)
    )
    assert len(boxes(svg)) == len(nodes)
    assert svg.count("marker-end") == edges
    left, top, width, height = map(float, re.search(r'viewBox="([^"]*)"', svg)[1].split())
    for number, (x, y, w, h) in enumerate(boxes(svg)):
        assert left <= x
        assert x + w <= left + width + 1
        assert top <= y
        assert y + h <= top + height
        for other_x, other_y, other_w, _ in boxes(svg)[number + 1 :]:
            assert y != other_y or x + w <= other_x or other_x + other_w <= x
