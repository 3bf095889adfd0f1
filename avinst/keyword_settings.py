"""Arguments of the functions for users: choices are checked, keywords go to the dataclass with such a field."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from avinst.errors import UserError
from avinst.nearest import hint


def by_kind(given: Mapping[str, Any], kinds: Sequence[type], *, apart: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Divides keyword arguments among dataclasses, no two of which share a field.

    Args:
        given: field name to value.
        kinds: the dataclasses.
        apart: fields that are no settings: they are given in another way.

    Returns:
        For each of the kinds the arguments that it takes.

    Raises:
        UserError: a name that no field has; the message names the nearest one that there is.
    """
    fields = [{field.name for field in dataclasses.fields(kind)} - set(apart) for kind in kinds]
    known = sorted(set().union(*fields))
    for name in given:
        if name not in known:
            raise UserError(f"no setting {name!r}; {_instead(name, known)}")
    return [{name: value for name, value in given.items() if name in names} for names in fields]


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises UserError, with the nearest choice, where an argument is none of its choices."""
    if value not in choices:
        raise UserError(f"{name}={value!r}: {_instead(value, choices)}")


def _instead(name: str, known: Sequence[str]) -> str:
    return hint(name, known, f"expected one of {', '.join(known)}")
