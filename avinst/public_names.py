"""The names that a package shows at its top, each imported when it is first asked for."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Modules = Mapping[str, Sequence[str]]


def lazy_names(
    package: str, light: Modules, with_tensorflow: Modules
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """What a package's `__init__` needs for names that cost nothing until they are used (PEP 562).

    No name may be a submodule's too: importing the submodule would put the module in the name's place.

    Args:
        package: the package's `__name__`.
        light: module to the names that it defines, where importing it does not import TensorFlow.
        with_tensorflow: the same of modules that do; TensorFlow is imported before them, without its messages.

    Returns:
        The package's `__getattr__`, `__dir__` and `__all__`.
    """
    module_of = {name: module for module, names in {**light, **with_tensorflow}.items() for name in names}

    def getattr_(name: str) -> Any:
        if name not in module_of:
            from avinst.nearest import hint

            near = "" if name.startswith("_") else hint(name, module_of)
            raise AttributeError(f"module {package!r} has no attribute {name!r}{near and f'; {near}'}")
        if module_of[name] in with_tensorflow:
            from avinst.quiet import import_tensorflow_quietly

            import_tensorflow_quietly()
        value = getattr(importlib.import_module(module_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def dir_() -> list[str]:
        special = [name for name in vars(sys.modules[package]) if name.startswith("__")]
        return sorted([*special, *module_of])

    return getattr_, dir_, sorted(module_of)
