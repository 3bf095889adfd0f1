"""Arguments of the functions for users: choices are checked, keywords go to the dataclass with such a field."""

import dataclasses
import numbers
import os
from collections.abc import Mapping, Sequence
from typing import Any

from avinst.errors import UserError
from avinst.json_values import check_types
from avinst.nearest import expected, hint


def by_kind(given: Mapping[str, Any], kinds: Sequence[type], *, apart: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Divides keyword arguments among dataclasses, no two of which share a field.

    Args:
        given: field name to value.
        kinds: the dataclasses.
        apart: fields that are no settings: they are given in another way.

    Returns:
        For each of the kinds the arguments that it takes.

    Raises:
        UserError: a name that no field has; the message names the nearest one that there is. Or a value of
            another type than its field's; numbers of NumPy pass for Python's.
    """
    fields = [{field.name for field in dataclasses.fields(kind)} - set(apart) for kind in kinds]
    known = sorted(set().union(*fields))
    for name in given:
        if name not in known:
            advice = hint(name, known, f"expected one of {', '.join(known)}")
            raise UserError(f"no setting {name!r}; {advice}")
    plain = {name: _plain(value) for name, value in given.items()}
    try:
        for kind in kinds:
            check_types(kind, plain)
    except TypeError as error:
        raise UserError(str(error)) from None
    return [{name: value for name, value in plain.items() if name in names} for names in fields]


def _plain(value: Any) -> Any:
    """As JSON knows it: NumPy's numbers and paths are none of its types."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else value


def check_least(name: str, value: int, least: int) -> None:
    """Raises UserError where a number is less than makes sense."""
    if value < least:
        raise UserError(f"{name}={value}: expected at least {least}")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises UserError, with all choices and the nearest one, where an argument is none of its choices."""
    if value not in choices:
        raise UserError(f"{name}={value!r}: {expected(value, choices)}")
