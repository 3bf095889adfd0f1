"""HTML that cannot be broken out of: whatever is not made here is escaped."""

import html
import json
import math
from typing import Any

# Elements without content have no end tag.
_VOID = frozenset({"br", "hr", "img", "meta", "source"})


class Markup(str):
    """HTML as it is to stand in the page; every other text is escaped when it is put in."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | int | bool | None) -> Markup:
    """An element with its content.

    Args:
        name: of the element.
        content: texts, which are escaped, and Markup, which is not.
        attributes: a trailing underscore is dropped (`class_`), others become hyphens (`aria_label`); True gives
            an attribute without a value, False and None give none.
    """
    written = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        written += f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """Several pieces, one after the other: Markup as it is, other texts escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else html.escape(piece) for piece in content))


def paragraph(text: str, class_: str | None = None) -> Markup:
    """A paragraph of text; nothing where there is no text."""
    return element("p", text, class_=class_) if text else Markup("")


def table(head: list[str], rows: list[list[str]], caption: str, class_: str | None = None) -> Markup:
    """A table that scrolls by itself where the page is narrower.

    Args:
        head: titles of the columns; the first may be empty.
        rows: cells, the first of a row its title.
        caption: what the table shows, for those who cannot see it and above the table.
        class_: further class of the table.
    """
    titles = [element("th", title, scope="col") if title else element("td") for title in head]
    lines = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:]))
        for row in rows
    ]
    body = element(
        "table",
        element("thead", element("tr", *titles)) if head else Markup(""),
        element("tbody", *lines),
        class_=class_,
    )
    # Above the part that scrolls, so that it is read whole on a phone. What scrolls must be reachable by keyboard,
    # and says what it is.
    return joined(
        element("p", caption, class_="caption"),
        element("div", body, class_="wide", tabindex=0, role="region", aria_label=caption),
    )


def json_block(id_: str, value: Any) -> Markup:
    """Data for the page's script; no text in it can end the element.

    Raises:
        ValueError: a number is not finite; see `finite`.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{html.escape(id_)}">{text}</script>')


def finite(value: float, digits: int) -> float | None:
    """The number rounded, for JSON; None where it is not defined."""
    return round(float(value), digits) if math.isfinite(value) else None
