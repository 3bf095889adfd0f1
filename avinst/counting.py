"""Counts and shares in words, alike in all that is printed."""


def counted(number: int, noun: str) -> str:
    """The number with its noun: "no recordings", "1 recording", "2 recordings"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share of 1 as "35 %"."""
    return f"{100 * share:.0f} %"
