"""What the four packages show at their top: lazy, typed, documented, and no name that is a submodule's too."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import analysis
import avinst
import beam_pipelines
import trainer
from avinst import UserError
from avinst.keyword_settings import by_kind, check_choice

ROOT = Path(__file__).parents[2]
PACKAGES = [importlib.import_module(name) for name in ("avinst", "beam_pipelines", "trainer", "analysis")]
NAMES = [(package.__name__, name) for package in PACKAGES for name in package.__all__]
HEAVY = ("tensorflow", "keras", "apache_beam", "numpy", "matplotlib", "scipy", "absl")


def value_of(package, name):
    return getattr(importlib.import_module(package), name)


def test_the_packages_and_their_names_cost_nothing():
    program = f"""
        import sys
        import avinst, beam_pipelines, trainer, analysis
        for package in (avinst, beam_pipelines, trainer, analysis):
            assert set(package.__all__) <= set(dir(package))
        print(*sorted(set({HEAVY}) & set(sys.modules)))
        trainer.TrainConfig, avinst.load_dataset, avinst.UserError
        print(*sorted(set({HEAVY}) & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n\n"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_no_public_name_is_a_submodule(package):
    """Importing the submodule would put the module in the name's place."""
    submodules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert set(package.__all__) & submodules == set()
    assert not {name for name in vars(package) if inspect.isfunction(getattr(package, name))} & submodules


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_type_checkers_see_the_same_names_from_the_same_modules(package):
    (block,) = (node for node in ast.parse(inspect.getsource(package)).body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    # Said with `as`, as mypy wants it of what is imported to be imported from here.
    typed = {alias.asname: node.module for node in imports for alias in node.names if alias.asname == alias.name}
    assert sorted(typed) == package.__all__
    for name, module in typed.items():
        assert getattr(package, name) is getattr(sys.modules[module], name)
        assert getattr(package, name).__module__ == module, f"{name} is defined elsewhere"
    assert (Path(package.__path__[0]) / "py.typed").exists()


@pytest.mark.parametrize(("package", "name"), NAMES, ids=lambda part: part)
def test_every_public_name_is_typed_and_documented(package, name):
    value = value_of(package, name)
    doc = inspect.getdoc(value) or ""
    assert re.match(r"[A-Z].*[.?:;,\w]$", doc.splitlines()[0]), doc
    if not inspect.isfunction(value):
        undocumented = [] if "Attributes:" not in doc else attributes_missing(value, doc)
        assert undocumented == []
        return
    signature = inspect.signature(value)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter
        assert re.search(rf"^    {parameter.name}: \S", doc, flags=re.MULTILINE), (
            f"{package}.{name} says nothing of its parameter {parameter.name}"
        )


def attributes_missing(kind, doc):
    named = {
        name for line in re.findall(r"^    ([\w, ]+): ", doc, flags=re.MULTILINE) for name in line.split(", ")
    }
    public = [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
    return [name for name in public if name not in named]


def test_a_name_that_is_not_there_is_told_with_the_nearest():
    trainer = importlib.import_module("trainer")
    with pytest.raises(
        AttributeError, match=r"^module 'trainer' has no attribute 'lod_run'; did you mean 'load_run'\?$"
    ):
        _ = trainer.lod_run
    assert not hasattr(trainer, "__wrapped__")


@dataclasses.dataclass(frozen=True)
class Sound:
    """Some settings."""

    mel_bands: int = 96
    path: str = ""


@dataclasses.dataclass(frozen=True)
class Picture:
    """Others."""

    frame_size: int = 299


def test_keyword_settings_go_to_the_kind_that_has_them():
    assert by_kind({"frame_size": 48, "mel_bands": 64}, [Sound, Picture]) == [
        {"mel_bands": 64},
        {"frame_size": 48},
    ]
    assert by_kind({}, [Sound]) == [{}]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("frame_sise", "no setting 'frame_sise'; did you mean 'frame_size'?"),
        ("zzz", "no setting 'zzz'; expected one of frame_size, mel_bands"),
        ("path", "no setting 'path'; expected one of frame_size, mel_bands"),
    ],
)
def test_a_setting_that_is_not_there_is_told_with_the_nearest(name, told):
    with pytest.raises(UserError) as error:
        by_kind({name: 1}, [Sound, Picture], apart=["path"])
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("mel_bands", "64", "mel_bands: expected int, found '64'"),
        ("mel_bands", 64.5, "mel_bands: expected int, found '64.5'"),
        ("mel_bands", None, "mel_bands: expected int, found 'None'"),
        ("path", 3, "path: expected str, found '3'"),
    ],
)
def test_a_value_of_another_type_is_told(name, value, told):
    with pytest.raises(UserError) as error:
        by_kind({name: value}, [Sound, Picture])
    assert str(error.value) == told


def test_numpys_numbers_and_paths_become_plain_values():
    (found,) = by_kind({"mel_bands": np.int64(64), "path": Path("a", "b")}, [Sound])
    assert found == {"mel_bands": 64, "path": "a/b"}
    assert type(found["mel_bands"]) is int


@pytest.mark.parametrize("kind", ["TrainConfig", "StudySettings", "PrepareConfig", "DecodeLimits", "DatasetSpec"])
def test_the_defaults_of_all_settings_are_of_their_types(kind):
    package = next(package for package in PACKAGES if kind in package.__all__)
    fields = [
        field for field in dataclasses.fields(getattr(package, kind)) if field.default is not dataclasses.MISSING
    ]
    given = {field.name: field.default for field in fields}
    assert by_kind(given, [getattr(package, kind)]) == [given]


def test_a_choice_that_is_not_there_is_told_with_the_nearest():
    check_choice("split", "test", ("train", "test"))
    with pytest.raises(UserError, match=r"^split='tests': expected one of train, test; did you mean 'test'\?$"):
        check_choice("split", "tests", ("train", "test"))


@pytest.mark.parametrize(
    "call",
    [
        lambda path: avinst.load_dataset(path),
        lambda path: avinst.make_manifest(path, path),
        lambda path: avinst.read_manifest(path, path),
        lambda path: beam_pipelines.prepare_videos(path, path, media_root=path),
        lambda path: beam_pipelines.predict_videos(path, path, path),
        lambda path: beam_pipelines.predict_videos(path, [path], path),
        lambda path: beam_pipelines.load_predictions(path),
        lambda path: beam_pipelines.load_detector(path),
        lambda path: beam_pipelines.newest_export(path),
        lambda path: trainer.fit(path, path.with_name("run")),
        lambda path: trainer.load_run(path),
        lambda path: trainer.evaluate_run(path),
        lambda path: trainer.export_run(path),
        lambda path: analysis.analyze_run(path),
        lambda path: analysis.grad_cam(path, None),
        lambda path: analysis.write_explained_video(path, path, path),
    ],
)
def test_a_path_is_taken_as_its_text_would_be(call, tmp_path):
    with pytest.raises(UserError) as error:
        call(tmp_path / "missing")
    assert str(tmp_path / "missing") in str(error.value)
