import sys
import types
import warnings

from avinst.quiet import import_keras_cv_layers


class AsInANotebook(types.ModuleType):
    """A package whose first use complains as tqdm does in a kernel without widgets."""

    @property
    def layers(self):
        warnings.warn("IProgress not found. Please update jupyter and ipywidgets.", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
        return "the layers"


def test_keras_cv_asks_for_no_widgets(monkeypatch, recwarn):
    monkeypatch.setitem(sys.modules, "keras_cv", AsInANotebook("keras_cv"))
    assert import_keras_cv_layers() == "the layers"
    assert [str(warning.message) for warning in recwarn] == ["something else"]
