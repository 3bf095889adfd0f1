"""Numbers and tables of docs/scale.md: three digits, units that a reader can picture."""

from collections.abc import Sequence


def number(value: float) -> str:
    """Three significant digits, with thousands separated; 0.000123 stays as it is."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value / 10**digits) * 10**digits:,}"
    return f"{value:.3g}"


def count(value: float) -> str:
    """5 thousand, 1.2 million, ..."""
    for size, name in ((1e9, "billion"), (1e6, "million"), (1e4, "thousand")):
        if value >= size:
            return f"{number(value / (1e3 if name == 'thousand' else size))} {name}"
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in decimal units."""
    for unit_bytes, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit_bytes:
            return f"{number(value / unit_bytes)} {unit}"
    return f"{value:.0f} B"


def hours(value: float) -> str:
    """A time given in hours: seconds, minutes, hours, days or years."""
    for unit_hours, unit in ((8766, "years"), (48, "days"), (1, "h"), (1 / 60, "min")):
        if value >= unit_hours:
            return f"{number(value / (24 if unit == 'days' else unit_hours))} {unit}"
    return f"{number(value * 3600)} s"


def dollars(value: float) -> str:
    """USD."""
    return f"${number(value)}" if value >= 0.01 else "under $0.01"


def percent(value: float) -> str:
    """A share."""
    return f"{100 * value:.2f} %"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
