"""Draws the Mermaid flowcharts of the pages as SVG for the site, which loads no script for it.

Of Mermaid's language, what the pages use: `a["label"]` (other brackets too), `a --> b & c`, chains of these.
The layout is that of Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order within each that
follows the neighbours', ways for long edges through places of their own.
"""

import html
import itertools
import re

_LAYER_HEIGHT, _BOX_HEIGHT, _GAP, _CHARACTER_WIDTH = 84, 40, 14, 7.2  # px
_ROUNDS = 24
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
)


def flowchart_svg(text: str) -> str:
    """An SVG element of a flowchart, in the colour of the text around it.

    Args:
        text: the block, `flowchart TD` and its lines.
    """
    labels, edges = _parse(text)
    layers, pieces = _layers(labels, edges)
    widths = {node: _width(labels[node]) if node in labels else 10.0 for layer in layers for node in layer}
    centres = _place(layers, pieces, widths)
    left = min(centres[node] - widths[node] / 2 for node in centres) - 4
    right = max(centres[node] + widths[node] / 2 for node in centres) + 4
    depth = {node: number * _LAYER_HEIGHT + 4 for number, layer in enumerate(layers) for node in layer}
    drawn = [_edge(start, end, centres, depth, end in labels, start in labels) for start, end in pieces]
    drawn += [_box(labels[node], centres[node], depth[node], widths[node]) for node in labels]
    height = len(layers) * _LAYER_HEIGHT - (_LAYER_HEIGHT - _BOX_HEIGHT) + 8
    words = html.escape("; ".join(f"{labels[start]} to {labels[end]}" for start, end in edges))
    size = f'viewBox="{left:.0f} 0 {right - left:.0f} {height}" width="{right - left:.0f}" height="{height}"'
    svg = [f'<svg {size} role="img" aria-label="{words}">', _TIP, *drawn, "</svg>"]
    return "\n".join(['<div class="flowchart">', *svg, "</div>"])


def _parse(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Labels by node, in their order, and the edges."""
    labels: dict[str, str] = {}
    edges = []
    for line in text.splitlines()[1:]:
        if not line.strip() or line.strip().startswith("%%"):
            continue
        groups = []
        for part in re.split(r"\s*-->\s*", line.strip()):
            nodes = re.findall(r'(\w+)(?:[\[({/]+"([^"]*)"[\])}/]+)?', re.sub(r"\s*&\s*", " ", part))
            groups.append([name for name, _ in nodes])
            for name, label in nodes:
                labels[name] = label or labels.get(name, name)
        for starts, ends in itertools.pairwise(groups):
            edges += [(start, end) for start in starts for end in ends]
    return labels, edges


def _layers(labels: dict[str, str], edges: list[tuple[str, str]]) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """Nodes by layer, and the edges between neighbouring layers, long ones cut by places of their own."""
    depth = dict.fromkeys(labels, 0)
    for _ in labels:  # as many rounds as the longest path can have
        for start, end in edges:
            depth[end] = max(depth[end], depth[start] + 1)
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in labels:
        layers[depth[node]].append(node)
    pieces = []
    for start, end in edges:
        way = [start]
        for between in range(depth[start] + 1, depth[end]):
            way.append(f"{start} to {end}, {between}")
            layers[between].append(way[-1])
        pieces += list(zip(way, [*way[1:], end], strict=True))
    return layers, pieces


def _place(layers: list[list[str]], pieces: list[tuple[str, str]], widths: dict[str, float]) -> dict[str, float]:
    """The centre of each node, px: towards its neighbours' mean, in that order, without touching."""
    neighbours: dict[str, list[str]] = {node: [] for layer in layers for node in layer}
    for start, end in pieces:
        neighbours[start].append(end)
        neighbours[end].append(start)
    centres = {node: float(place * 80) for layer in layers for place, node in enumerate(layer)}
    for turn in range(_ROUNDS):
        for layer in layers if turn % 2 else layers[::-1]:
            wanted = {
                node: sum(centres[other] for other in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else centres[node]
                for node in layer
            }
            layer.sort(key=lambda node: wanted[node])
            ends, place = [], 0.0
            for node in layer:
                place += widths[node] / 2
                ends.append(place)
                place += widths[node] / 2 + _GAP
            shift = sum(wanted[node] - end for node, end in zip(layer, ends, strict=True)) / len(layer)
            # Side by side first, then to the right as far as is wanted, from the right end on.
            limit = float("inf")
            for node, end in reversed(list(zip(layer, ends, strict=True))):
                centres[node] = min(max(end + shift, wanted[node]), limit - widths[node] / 2)
                limit = centres[node] - widths[node] / 2 - _GAP
    return centres


def _width(label: str) -> float:
    return max(map(len, label.rsplit(".", 1))) * _CHARACTER_WIDTH + 16


def _edge(
    start: str, end: str, centres: dict[str, float], depth: dict[str, int], arrives: bool, begins: bool
) -> str:
    x, y = centres[start], depth[start] + (_BOX_HEIGHT if begins else _BOX_HEIGHT / 2)
    to_x, to_y = centres[end], depth[end] + (-2 if arrives else _BOX_HEIGHT / 2)
    middle = (y + to_y) / 2
    tip = ' marker-end="url(#tip)"' if arrives else ""
    way = f"M{x:.0f} {y:.0f}C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
    return f'<path d="{way}" fill="none" stroke="currentColor" stroke-opacity="0.55"{tip}/>'


def _box(label: str, x: float, y: float, width: float) -> str:
    box = f'<rect x="{x - width / 2:.0f}" y="{y}" width="{width:.0f}" height="{_BOX_HEIGHT}" rx="6"/>'
    folder, dot, name = label.rpartition(".")
    if not dot or " " in label:
        return f'{box}<text x="{x:.0f}" y="{y + 25}">{html.escape(label)}</text>'
    small = f'<text x="{x:.0f}" y="{y + 16}" class="folder">{html.escape(folder)}.</text>'
    return f'{box}{small}<text x="{x:.0f}" y="{y + 32}">{html.escape(name)}</text>'
