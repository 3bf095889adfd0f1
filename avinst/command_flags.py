"""A command's flags: how they are defined, and what can be said about each, for help, documents and completion."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeVar

from absl import flags

from avinst.errors import UsageError, UserError

_Settings = TypeVar("_Settings")
# What every command has; the documents name these once.
COMMON = ("verbose",)
DIRECTORY_ENDINGS = ("dir", "root", "compare_to", "stages_from", "init_from")
FILE_ENDINGS = ("manifest", "output", "listen", "sheet", "weights", "annotations", "figure", "regions")
_TYPES = {"comma separated list of strings": "list, by commas"}


@dataclasses.dataclass(frozen=True)
class FlagFacts:
    """What can be said about a flag.

    Attributes:
        name: without dashes.
        kind: `bool`, `int`, `float`, `string` or `list, by commas`.
        bounds: such as `at least 1` or `0 to 64`; empty if any value goes.
        choices: the values that are allowed; empty if they are not a few.
        default: as it is written on the command line; empty if there is none.
        meaning: the help text.
    """

    name: str
    kind: str
    bounds: str
    choices: tuple[str, ...]
    default: str
    meaning: str

    @property
    def is_directory(self) -> bool:
        """Whether the value is the path of a directory."""
        return self.name.endswith(DIRECTORY_ENDINGS)

    @property
    def is_path(self) -> bool:
        """Whether the value is a path."""
        return self.is_directory or self.name.endswith(FILE_ENDINGS)


def new_flags() -> flags.FlagValues:
    """The flags of a command, with those that every command has; none of them global."""
    flag_values = flags.FlagValues()
    flags.DEFINE_bool(
        "verbose",
        False,
        "for a report of an error: versions, settings, all messages, and where an error arose, on stderr",
        flag_values=flag_values,
    )
    return flag_values


def define_settings(kind: type, flag_values: flags.FlagValues) -> dict[str, flags.FlagHolder[Any]]:
    """Defines a flag for each field of a dataclass: its type is that of the default, its help in the metadata.

    Args:
        kind: a dataclass whose fields have defaults and the metadata `help` and, where not every value is
            allowed, `choices` or `limits`, the least and the greatest.
        flag_values: the command's flags.

    Returns:
        Field name to the flag's holder.
    """
    define: dict[type, Any] = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    holders = {}
    for field in dataclasses.fields(kind):
        default: Any = field.default
        text, choices = field.metadata["help"], field.metadata.get("choices")
        if choices:
            holder = flags.DEFINE_enum(field.name, default, list(choices), text, flag_values=flag_values)
        else:
            limits = field.metadata.get("limits")
            bounds = {"lower_bound": limits[0], "upper_bound": limits[1]} if limits else {}
            holder = define[type(default)](field.name, default, text, flag_values=flag_values, **bounds)
        holders[field.name] = holder
    return holders


def settings_of(kind: type[_Settings], holders: Mapping[str, flags.FlagHolder[Any]]) -> _Settings:
    """The dataclass with the values of the flags that `define_settings` defined.

    Raises:
        UsageError: the dataclass refuses a value, which is a flag here.
    """
    try:
        return kind(**{name: holder.value for name, holder in holders.items()})
    except UserError as error:
        raise UsageError(str(error)) from error


def required(holder: flags.FlagHolder) -> str:
    """The flag's value; raises UsageError where it was not given."""
    if not holder.value:
        raise UsageError(f"--{holder.name} is missing")
    return str(holder.value)


def facts(flag: flags.Flag[Any]) -> FlagFacts:
    """What can be said about a flag."""
    return FlagFacts(
        name=flag.name,
        kind=_TYPES.get(flag.flag_type(), flag.flag_type()),
        bounds=_bounds(flag),
        choices=tuple(getattr(flag.parser, "enum_values", None) or ()),
        default=flag.default_as_str.strip("'") if flag.default_as_str else "",
        # Of a flag with choices, absl puts them before the help.
        meaning=" ".join(re.sub(r"^<[^>]*>: ", "", flag.help or "").split()),
    )


def _bounds(flag: flags.Flag[Any]) -> str:
    bounds = (getattr(flag.parser, f"{end}_bound", None) for end in ("lower", "upper"))
    low, high = (None if bound is None else f"{bound:.12g}" for bound in bounds)
    if low and high:
        return f"{low} to {high}"
    if low:
        return f"at least {low}"
    return f"at most {high}" if high else ""


def grouped(
    flag_values: flags.FlagValues, groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, list[FlagFacts]]]:
    """The flags by subject, without those that every command has.

    Args:
        flag_values: the command's flags.
        groups: subject to names of flags.

    Yields:
        Each subject with its flags in their order; then `flags`, or `other flags`, with those in no group.
    """
    for subject, names in groups.items():
        yield subject, [facts(flag_values[name]) for name in names]
    named = {name for names in groups.values() for name in names}
    rest = [facts(flag_values[name]) for name in flag_values if name not in named and name not in COMMON]
    if rest:
        yield ("other flags" if groups else "flags"), rest


def groups_of(module: ModuleType) -> Mapping[str, Sequence[str]]:
    """The subjects of a command's flags: FLAG_GROUPS of its module, where it has so many that they need them."""
    return dict(getattr(module, "FLAG_GROUPS", {}))
