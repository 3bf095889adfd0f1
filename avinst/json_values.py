"""JSON files that avinst wrote, read again: one object each, its values held against a dataclass's types."""

import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.errors import UserError


def read_json_object(file: str, advice: str) -> dict[str, Any]:
    """The object that a JSON file holds.

    Args:
        file: local or remote; it must be there.
        advice: what to do where it is damaged.

    Raises:
        UserError: it is no UTF-8, no JSON, nested too deeply, or no object.
    """
    try:
        values = json.loads(paths.read_text(file))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file!r} is damaged ({error}); {advice}") from error
    if not isinstance(values, dict):
        raise UserError(f"{file!r} is damaged (expected an object, found {type(values).__name__}); {advice}")
    return values


def check_types(dataclass: type, values: Mapping[str, Any]) -> None:
    """Checks that JSON values are of the types that the fields of the same names have; other names pass.

    A list stands for a tuple, a whole number for a float. Fields that are dataclasses are not looked into.

    Raises:
        TypeError: a value is of another type; the message names its field.
    """
    hints = typing.get_type_hints(dataclass)
    for name in values.keys() & hints.keys():
        if not _is_of(values[name], hints[name]):
            expected = _in_words(hints[name])
            raise TypeError(f"{name}: expected {expected}, found {str(values[name])[:40]!r}")


def _in_words(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    return str(hint) if typing.get_args(hint) else getattr(hint, "__name__", str(hint))


def _is_of(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_is_of(value, argument) for argument in arguments)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_is_of(item, arguments[0]) for item in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_is_of(item, arguments[1]) for item in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in (str, bool, types.NoneType) else True
