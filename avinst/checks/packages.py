"""The doctor looks at Python and the packages: versions, conflicts, and files that hide them."""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import os
import re
import sys
import warnings
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.quiet import import_tensorflow_quietly
from avinst.versions import package_versions

# Not the whole of the lock: what avinst itself imports.
IMPORTED = {
    "absl-py": "absl",
    "apache-beam": "apache_beam",
    "av": "av",
    "keras": "keras",
    "keras-cv": "keras_cv",
    "matplotlib": "matplotlib",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "tensorboard": "tensorboard",
    "tensorflow": "tensorflow",
    "tensorflow-io": "avinst.log_mel",  # the one place that imports it, and does so quietly
    "tf-keras-vis": "tf_keras_vis",
}
# Each group is one set of files; whichever was installed last overwrote the other.
RIVALS = (
    ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-intel", "tf-nightly-cpu"),
    ("keras", "keras-nightly"),
    ("tensorboard", "tb-nightly"),
)
# FFmpeg comes with each of these; two of them in one process are known to crash on some systems.
_OTHER_FFMPEG = ("opencv-python", "opencv-contrib-python", "decord", "torchcodec")
OUR_FOLDERS = ("avinst", "beam_pipelines", "trainer", "analysis")
_HIDEABLE = ("av", "keras", "tensorflow", "apache_beam", "numpy", "scipy", "absl", "PIL", "matplotlib")
_REINSTALL = "make a new virtual environment (make setup, or pip install avinst in a fresh one)"


def check_python(_: Plans) -> list[Finding]:
    """Whether this Python is one that all dependencies have wheels for, on a system that they have wheels for."""
    found = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        return wrong("Python", f"{found}; avinst needs 3.11 or 3.12: make a virtual environment with one")
    if sys.maxsize < 2**32:
        return wrong(
            "Python", f"{found} is a 32-bit one, for which TensorFlow does not exist: install a 64-bit one"
        )
    return ok("Python", found)


def check_environment_of_its_own(_: Plans) -> list[Finding]:
    """Whether packages are kept apart from the system's: other projects' versions break them."""
    if sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX") or os.environ.get("PYTHONNOUSERSITE"):
        return []
    text = f"{sys.executable} is in no virtual environment, so packages of other projects can get in the way; "
    return note("environment", text + "python -m venv .venv makes one")


def check_pythonpath(_: Plans) -> list[Finding]:
    """Whether PYTHONPATH brings packages of another Python in."""
    ours = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    foreign = [entry for entry in entries if re.search("(site|dist)-packages", entry) and ours not in entry]
    if foreign:
        return wrong("PYTHONPATH", f"{foreign[0]!r} holds packages of another Python; unset PYTHONPATH")
    return []


def check_imports(_: Plans) -> list[Finding]:
    """Whether each package that avinst imports can be imported."""
    versions = package_versions(tuple(IMPORTED))
    findings = []
    with contextlib.suppress(Exception):  # whatever is wrong with it is found below
        import_tensorflow_quietly()
    for package, module in IMPORTED.items():
        try:
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except Exception as error:  # noqa: BLE001  # a broken package may raise anything; it is what is looked for
            reason = f"{type(error).__name__}: {error}"
            findings += wrong(package, f"{versions[package]}, does not import ({reason}); run make setup again")
        else:
            findings += ok(package, versions[package])
    return findings


def check_versions(_: Plans) -> list[Finding]:
    """Whether the versions of the packages are those that avinst, and they among themselves, ask for."""
    findings = []
    for package in ("avinst", "tensorflow", "keras", "apache-beam", "numpy"):
        for text in _requirements(package):
            unmet = _unmet(text)
            if unmet:
                findings += wrong("versions", f"{package} needs {unmet}; {_REINSTALL}")
    return findings or ok("versions", "as avinst, TensorFlow, Keras and Beam need them")


def check_rivals(_: Plans) -> list[Finding]:
    """Whether two packages that write the same files are installed, such as tensorflow and tensorflow-cpu."""
    findings = []
    for group in RIVALS:
        there = [name for name in group if _version(name)]
        if len(there) > 1:
            advice = f"pip uninstall {' '.join(there)}, then pip install {group[0]}"
            findings += wrong("packages", f"{' and '.join(there)} overwrite each other's files; {advice}")
    return findings


def check_other_ffmpeg(_: Plans) -> list[Finding]:
    """Whether packages that bring an FFmpeg of their own are installed beside PyAV."""
    there = [name for name in _OTHER_FFMPEG if _version(name)]
    if not there:
        return []
    text = f"{', '.join(there)} brings its own FFmpeg; if decoding crashes, use an environment without it"
    return note("FFmpeg", text)


def check_hidden(_: Plans) -> list[Finding]:
    """Whether a file or folder of the working directory hides a package.

    The installed command does not look there; `python -m`, notebooks and scripts that lie there do, first.
    """
    here = Path.cwd()
    looked_in = any(Path(entry or ".").resolve() == here.resolve() for entry in sys.path)
    findings = []
    for name in (*OUR_FOLDERS, *_HIDEABLE):
        there = [path for path in (here / f"{name}.py", here / name / "__init__.py") if path.exists()]
        if there and name in OUR_FOLDERS and _is_ours(there[0], name):
            continue
        if there:
            what = there[0] if there[0].suffix == ".py" and there[0].stem == name else there[0].parent
            advice = "work in another directory, or rename it"
            if looked_in:
                findings += wrong("hidden", f"{str(what)!r} hides the package {name!r}; {advice}")
            else:
                text = f"{str(what)!r} would hide the package {name!r} from python -m and from a notebook there"
                findings += note("hidden", f"{text}; {advice}")
    return findings


def check_our_names(_: Plans) -> list[Finding]:
    """Whether another package has taken the names `trainer`, `analysis` or `beam_pipelines`."""
    findings = []
    home = Path(__file__).resolve().parents[2]
    for name in OUR_FOLDERS:
        found = importlib.util.find_spec(name)
        if found is None or not found.origin:
            findings += wrong("names", f"avinst's package {name!r} is missing; {_REINSTALL}")
        elif Path(found.origin).resolve().parents[1] != home:
            text = f"{name!r} is imported from {found.origin!r}, which is not avinst's; {_REINSTALL}"
            findings += wrong("names", text)
    return findings


def _is_ours(path: Path, name: str) -> bool:
    """Whether this is the folder of avinst itself: who works in a clone."""
    return path.resolve() == (Path(__file__).resolve().parents[2] / name / "__init__.py")


def _requirements(package: str) -> list[str]:
    try:
        return importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:  # avinst itself in a clone; absence is check_imports' business
        return []


def _unmet(text: str) -> str:
    """The requirement with what is there instead; empty if it is met, or is none for this machine."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return ""
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return ""
    version = _version(wanted.name)
    if version is None:
        return f"{wanted.name}{wanted.specifier}, which is missing"
    return (
        ""
        if wanted.specifier.contains(version, prereleases=True)
        else f"{wanted.name}{wanted.specifier}, found {version}"
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
