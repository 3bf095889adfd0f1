"""The frame of the report: head, table of contents, style and script, and what the page may do."""

import base64
import dataclasses
import hashlib
from collections.abc import Sequence
from importlib import resources

from analysis.report.markup import Markup, element, joined


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the report with a heading of its own.

    Attributes:
        id: what links lead to.
        title: of the heading and in the table of contents.
        content: what stands below the heading.
        within: whether it belongs to the section before it, as the labels do.
    """

    id: str
    title: str
    content: Markup
    within: bool = False


def render_page(title: str, header: Markup, sections: Sequence[Section], data: Markup) -> str:
    """A whole HTML document that fetches nothing: a policy in its head forbids it.

    Args:
        title: of the document.
        header: stands above the table of contents.
        sections: in their order.
        data: blocks of JSON for the script.
    """
    style, script = _asset("report.css"), _asset("report.js")
    # Only this very style and this very script; pictures and sounds are inside the file.
    policy = (
        "default-src 'none'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_source(style)}; script-src {_source(script)}"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    body = element(
        "body",
        element("a", "Skip to the findings", class_="skip", href=f"#{sections[0].id}"),
        element("header", header),
        element("div", _contents(sections), element("main", *map(_section, _grouped(sections))), class_="page"),
        data,
        Markup(f"<script>{script}</script>"),
    )
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _contents(sections: Sequence[Section]) -> Markup:
    links = [
        element(
            "li", element("a", section.title, href=f"#{section.id}"), class_="within" if section.within else None
        )
        for section in sections
    ]
    heading = element("h2", "Contents", id="contents")
    return element("nav", heading, element("ol", *links), aria_labelledby="contents")


def _grouped(sections: Sequence[Section]) -> list[tuple[Section, list[Section]]]:
    groups: list[tuple[Section, list[Section]]] = []
    for section in sections:
        if section.within:
            groups[-1][1].append(section)
        else:
            groups.append((section, []))
    return groups


def _section(group: tuple[Section, list[Section]]) -> Markup:
    section, inner = group
    folded = [
        element(
            "section",
            element(
                "details",
                element("summary", element("h3", part.title, id=f"{part.id}-title")),
                part.content,
                open=True,
            ),
            id=part.id,
            aria_labelledby=f"{part.id}-title",
        )
        for part in inner
    ]
    heading = element("h2", section.title, id=f"{section.id}-title")
    content = joined(heading, section.content, *folded)
    return Markup(f"{element('section', content, id=section.id, aria_labelledby=f'{section.id}-title')}\n")


def _asset(name: str) -> str:
    return resources.files("analysis.report").joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """A policy's name of an inline style or script: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
