"""Coverage of this project's own modules for a fuzzer, without atheris where nobody fuzzes."""

import contextlib
import sys
from contextlib import AbstractContextManager


def instrumented() -> AbstractContextManager[object]:
    """Within it, imports of this project are compiled so that the fuzzer sees which branches run.

    A fuzzer imports atheris first; tests of the corpus do not.
    """
    if "atheris" not in sys.modules:
        return contextlib.nullcontext()
    import atheris

    return atheris.instrument_imports(include=["avinst", "beam_pipelines", "analysis"])
