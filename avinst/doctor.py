"""Finds what is wrong with this machine, its packages and your directories, and says what to do about it.

avinst doctor
avinst doctor --output_dir=. --data_dir=DATASET --run_dir=RUN
avinst doctor --licences

Each line begins with ok, note (works, but worth knowing) or wrong; the exit status is 1 if anything is wrong. What
it looks for is listed in docs/doctor.md. --json prints a list of `state`, `subject` and `text`.
"""

import dataclasses
import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags, terminal
from avinst.checks.finding import NOTE, OK, WRONG, Finding, Plans
from avinst.errors import UserError

FLAGS = command_flags.new_flags()
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", ".", "where you mean to write datasets and runs, local or gs://", flag_values=FLAGS
)
_DATA_DIR = flags.DEFINE_string("data_dir", "", "a dataset to look at too", flag_values=FLAGS)
_RUN_DIR = flags.DEFINE_string("run_dir", "", "a run to look at too", flag_values=FLAGS)
_LICENCES = flags.DEFINE_bool(
    "licences", False, "instead, list the licences of all that avinst depends on", flag_values=FLAGS
)
_JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)
_COLOURS = {OK: "green", NOTE: "yellow", WRONG: "red"}


def doctor() -> None:
    """Prints the findings; raises UserError if anything is wrong. With --licences prints these instead."""
    if _LICENCES.value:
        _print_licences()
        return
    from avinst.checks.all_checks import examine

    findings = []
    for finding in examine(Plans(_OUTPUT_DIR.value, _DATA_DIR.value, _RUN_DIR.value)):
        findings.append(finding)
        if not _JSON.value:  # at once: what comes next may end the process, as TensorFlow does without AVX
            print(_line(finding), flush=True)  # noqa: T201
    if _JSON.value:
        command.print_json([finding._asdict() for finding in findings])
    wrong = list(dict.fromkeys(finding.subject for finding in findings if finding.state == WRONG))
    if wrong:
        raise UserError(f"wrong: {', '.join(wrong)}; see above for what to do")


def _line(finding: Finding) -> str:
    state = terminal.painted(f"{finding.state:<6}", _COLOURS[finding.state])
    return f"{state} {finding.subject:<14} {finding.text}"


def _print_licences() -> None:
    from avinst.licences import UNKNOWN, dependency_licences

    found = dependency_licences()
    if _JSON.value:
        command.print_json([dataclasses.asdict(licence) for licence in found])
        return
    widths = [max(len(getattr(licence, column)) for licence in found) for column in ("name", "version", "licence")]
    for licence in found:
        cells = zip((licence.name, licence.version, licence.licence), widths, strict=True)
        flag = f"{licence.copyleft} copyleft" if licence.copyleft else ""
        flag += f" (bundled: {licence.bundled})" if licence.bundled else ""
        print("  ".join([*(f"{cell:<{width}}" for cell, width in cells), flag]).rstrip())  # noqa: T201
    unknown = [licence.name for licence in found if licence.licence == UNKNOWN]
    flagged = [
        licence.name + (f" (bundled: {licence.bundled})" if licence.bundled else "")
        for licence in found
        if licence.copyleft
    ]
    summary = [
        f"{len(found)} packages",
        f"licence unknown: {', '.join(unknown) or 'none'}",
        f"copyleft: {', '.join(flagged) or 'none'}",
        *(f"{licence.name} {licence.note}" for licence in found if licence.note),
    ]
    print("\n" + "\n".join(summary))  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(doctor, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
