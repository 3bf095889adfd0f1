"""Counted things in words."""


def counted(number: int, noun: str) -> str:
    """The number with its noun: "no recordings", "1 recording", "2 recordings"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
