"""Pictures in the report: inside the file, described, and to be enlarged."""

import base64
import io
from collections.abc import Sequence

from PIL import Image

from analysis.pictures import Picture
from analysis.report.markup import Markup, element

# Photographs compress far better so, and a report with galleries stays small enough to be mailed.
_JPEG_QUALITY = 85


def figure(pictures: Sequence[Picture], kind: str, *below: str, caption: str = "") -> Markup:
    """Pictures that belong together, each of them inside the page, to be enlarged together.

    Args:
        pictures: at least one.
        kind: class that decides the size.
        below: what stands under them beside the caption, such as sounds.
        caption: in words.
    """
    return element(
        "figure",
        *(image(picture) for picture in pictures),
        element("figcaption", caption) if caption else Markup(""),
        *below,
        class_=f"enlarge {kind}",
    )


def image(picture: Picture) -> Markup:
    """The picture as an element, with its size, so that the page does not jump while it loads."""
    with Image.open(io.BytesIO(picture.png)) as opened:
        width, height = opened.size
    return element(
        "img",
        src=data_uri(picture.png, photograph=picture.exhibit is not None),
        alt=picture.description,
        width=width,
        height=height,
    )


def data_uri(png: bytes, photograph: bool) -> str:
    """The picture as a URI that holds it; a photograph as JPEG."""
    kind, content = "png", png
    if photograph:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(png)) as opened:
            opened.convert("RGB").save(buffer, format="JPEG", quality=_JPEG_QUALITY, optimize=True)
        kind, content = "jpeg", buffer.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
