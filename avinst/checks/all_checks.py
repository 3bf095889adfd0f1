"""All checks of the doctor in their order, and how they are run."""

import inspect
from collections.abc import Callable, Iterator
from typing import NamedTuple

from avinst.checks import contents, machine, media, packages, places, tensorflow
from avinst.checks.finding import WRONG, Finding, Plans, note


class Check(NamedTuple):
    """A check, and what it cannot do without.

    Attributes:
        run: tells what it finds; nothing where there is nothing to tell.
        unless: subjects of earlier findings; where one of them is wrong, the check is left out.
    """

    run: Callable[[Plans], list[Finding]]
    unless: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What it looks for, as its docstring says."""
        return inspect.getdoc(self.run) or ""


def examine(plans: Plans) -> Iterator[Finding]:
    """Runs all checks in order and yields what each finds; one that fails itself says so."""
    broken: set[str] = set()
    for part in CHECKS.values():
        for check in part:
            if broken & set(check.unless):
                continue
            try:
                findings = check.run(plans)
            except Exception as error:  # noqa: BLE001  # on an odd machine; the other checks are wanted all the more
                name = check.run.__name__.removeprefix("check_").replace("_", " ")
                findings = note(name, f"could not be checked ({type(error).__name__}: {error})")
            broken |= {finding.subject for finding in findings if finding.state == WRONG}
            yield from findings


# Under each of these imports fail, for a reason that is told already.
_MENDED_FIRST = ("CPU", "KERAS_BACKEND", "TF_USE_LEGACY_KERAS", "PYTHONPATH")

# What does not import TensorFlow comes before what does: without AVX that import ends the process.
CHECKS: dict[str, tuple[Check, ...]] = {
    "Python and settings": (
        Check(packages.check_python),
        Check(packages.check_environment_of_its_own),
        Check(packages.check_pythonpath),
        Check(packages.check_hidden),
        Check(packages.check_our_names),
        Check(packages.check_versions),
        Check(packages.check_rivals),
        Check(packages.check_other_ffmpeg),
        Check(tensorflow.check_backend),
        Check(tensorflow.check_tensorflow_variables),
        Check(tensorflow.check_tf_config),
        Check(tensorflow.check_cpu),
    ),
    "packages": (
        Check(packages.check_imports, unless=_MENDED_FIRST),
        Check(media.check_codecs, unless=("av",)),
        Check(media.check_wheel, unless=("av",)),
        Check(tensorflow.check_gpus, unless=(*_MENDED_FIRST, "tensorflow")),
        Check(tensorflow.check_tensorboard, unless=("tensorboard",)),
    ),
    "the machine": (
        Check(machine.check_memory),
        Check(machine.check_cores),
        Check(machine.check_shared_memory),
        Check(machine.check_open_files),
        Check(machine.check_temporary_space),
        Check(machine.check_language),
        Check(machine.check_clock),
        Check(machine.check_proxy),
        Check(machine.check_keras_home),
    ),
    "your directories": (
        Check(places.check_writing),
        Check(places.check_disk),
        Check(places.check_file_system),
        Check(places.check_at_work),
        Check(places.check_leftovers),
        Check(places.check_cloud, unless=("tensorflow",)),
        Check(contents.check_dataset),
        Check(contents.check_run),
    ),
}
