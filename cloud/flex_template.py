"""What a flex template's launcher runs: the command that the parameters are of, up to the job for Dataflow.

The launcher calls it with a flag for each parameter of the template and with Beam's flags for the job. One image
holds one such file, so that it serves both templates: where the results go tells which command is meant.
"""

import sys
from collections.abc import Collection, Sequence

from avinst import cli

# The parameter that only this template has, and requires.
COMMAND_OF = {"data_dir": "prepare", "output_dir": "predict"}


def command_line(arguments: Sequence[str], known: Collection[str]) -> list[str]:
    """The launcher's arguments as those of `avinst`.

    Args:
        arguments: `--name=value` each, or a name and its value one after the other.
        known: the names, without dashes, of Beam's flags and of both commands'. Others are left out and told: the
            parameters are checked by Dataflow, so that such a flag is the launcher's own.

    Raises:
        ValueError: neither command is meant, or both are.
    """
    arguments = _joined(arguments)
    names = [argument.lstrip("-").partition("=")[0] for argument in arguments]
    commands = [command for parameter, command in COMMAND_OF.items() if parameter in names]
    if len(commands) != 1:
        raise ValueError(
            f"expected one of the parameters {', '.join(COMMAND_OF)}; found {', '.join(names) or 'none'}"
        )
    kept = [argument for argument, name in zip(arguments, names, strict=True) if name in known]
    for name in sorted(set(names) - set(known)):
        sys.stderr.write(f"flex template: --{name} is left out, neither avinst nor Beam knows it\n")
    # The program has to end once the pipeline is built, for the job begins after it:
    # https://docs.cloud.google.com/dataflow/docs/guides/templates/configuring-flex-templates
    return ["avinst", *commands, *kept, "--no_wait_until_finish"]


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--name=value` of every flag: avinst takes no other form."""
    joined: list[str] = []
    for argument in arguments:
        if joined and not argument.startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def main(argv: Sequence[str]) -> int:
    """Builds the job; returns the command's exit status."""
    from beam_pipelines import predict, prepare
    from beam_pipelines.beam_flags import known_flags

    known = {name.lstrip("-") for name in known_flags()} | set(prepare.FLAGS) | set(predict.FLAGS)
    try:
        arguments = command_line(argv[1:], known)
    except ValueError as error:
        sys.stderr.write(f"flex template: {error}\n")
        return 2
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
