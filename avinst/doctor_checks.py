"""All checks of the doctor in their order, and how they are run."""

import inspect
from collections.abc import Callable, Iterator
from typing import NamedTuple

from avinst import doctor_contents, doctor_machine, doctor_media, doctor_packages, doctor_places, doctor_tensorflow
from avinst.doctor_finding import WRONG, Finding, Plans, note


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
        Check(doctor_packages.check_python),
        Check(doctor_packages.check_environment_of_its_own),
        Check(doctor_packages.check_pythonpath),
        Check(doctor_packages.check_hidden),
        Check(doctor_packages.check_our_names),
        Check(doctor_packages.check_versions),
        Check(doctor_packages.check_rivals),
        Check(doctor_packages.check_other_ffmpeg),
        Check(doctor_tensorflow.check_backend),
        Check(doctor_tensorflow.check_tensorflow_variables),
        Check(doctor_tensorflow.check_tf_config),
        Check(doctor_tensorflow.check_cpu),
    ),
    "packages": (
        Check(doctor_packages.check_imports, unless=_MENDED_FIRST),
        Check(doctor_media.check_codecs, unless=("av",)),
        Check(doctor_media.check_wheel, unless=("av",)),
        Check(doctor_tensorflow.check_gpus, unless=(*_MENDED_FIRST, "tensorflow")),
        Check(doctor_tensorflow.check_tensorboard, unless=("tensorboard",)),
    ),
    "the machine": (
        Check(doctor_machine.check_memory),
        Check(doctor_machine.check_cores),
        Check(doctor_machine.check_shared_memory),
        Check(doctor_machine.check_open_files),
        Check(doctor_machine.check_temporary_space),
        Check(doctor_machine.check_language),
        Check(doctor_machine.check_clock),
        Check(doctor_machine.check_proxy),
        Check(doctor_machine.check_keras_home),
    ),
    "your directories": (
        Check(doctor_places.check_writing),
        Check(doctor_places.check_disk),
        Check(doctor_places.check_file_system),
        Check(doctor_places.check_at_work),
        Check(doctor_places.check_leftovers),
        Check(doctor_places.check_cloud, unless=("tensorflow",)),
        Check(doctor_contents.check_dataset),
        Check(doctor_contents.check_run),
    ),
}
