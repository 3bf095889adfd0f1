"""What figures of all folders share: colours, and PNGs whatever script the labels are written in."""

import functools
import io
import warnings

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from PIL import Image

# Of Okabe and Ito's palette, told apart with every kind of colour vision.
MODALITY_COLOURS = {"audio": "#0072B2", "visual": "#D55E00"}
# Tried in this order for characters that the figure's own font lacks; those that are not installed are left out.
FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "NanumGothic",
    "PingFang SC",
    "Hiragino Sans GB",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "MS Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Arabic",
    "Unifont",
)


def figure_png(figure: Figure, dpi: int) -> bytes:
    """The figure as a PNG; equal figures give equal bytes on one machine.

    A character that no installed font has is drawn as an empty box, without matplotlib's warning for each: the
    label is in full in the text beside the figure, and nothing else about the figure is wrong.

    Args:
        figure: its texts are given further fonts to fall back on.
        dpi: pixels per inch.
    """
    name_fallback_fonts(figure)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # what stands between dollar signs is a label's or a file's name, no formula
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from", category=UserWarning)
        # One drawing, not two as in savefig, which lays the figure out in a drawing of its own.
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(buffer, format="png", dpi=(dpi, dpi))
    return buffer.getvalue()


def name_fallback_fonts(figure: Figure) -> None:
    """Lets the texts of a figure that are not plain ASCII fall back on the installed ones of `FALLBACK_FONTS`.

    By name and one by one: matplotlib takes of a generic family such as sans-serif the first font only, and logs a
    warning for each name that it does not find.
    """
    for text in figure.findobj(Text):
        if not text.get_text().isascii():
            fallbacks = [name for name in FALLBACK_FONTS if name in _installed_fonts()]
            text.set_fontfamily([*text.get_fontfamily(), *fallbacks])


@functools.cache
def _installed_fonts() -> frozenset[str]:
    return frozenset(fontManager.get_font_names())
