"""What a setting of a training knows of itself: default, help, choices, limits; and how its value is checked."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from avinst.errors import UserError
from avinst.nearest import expected


def setting(
    default: Any, help_text: str, choices: Sequence[str] = (), limits: tuple[float, float] | None = None
) -> Any:
    """A dataclass field with what its flag needs.

    Args:
        default: decides the flag's type.
        help_text: the flag's help.
        choices: the only values allowed, if there are any.
        limits: the least and the greatest value allowed.
    """
    metadata = {"help": help_text, "choices": tuple(choices), "limits": limits}
    return dataclasses.field(default=default, metadata=metadata)


def check_settings(values: Any) -> None:
    """Raises UserError for the first field of a dataclass whose value is not among its choices or limits."""
    for field in dataclasses.fields(values):
        choices, limits, value = field.metadata["choices"], field.metadata["limits"], getattr(values, field.name)
        if choices and value not in choices:
            raise UserError(f"--{field.name}={value}: {expected(str(value), choices)}")
        # Written so that NaN, which is neither less nor more than anything, is refused.
        if limits and not limits[0] <= value <= limits[1]:
            raise UserError(f"--{field.name}={value}: expected at least {limits[0]} and at most {limits[1]}")
