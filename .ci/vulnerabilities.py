"""Known vulnerabilities of the locked packages, by pip-audit: fails for those that nobody has accepted in writing.

    python .ci/vulnerabilities.py --pip_audit=PIP_AUDIT requirements.lock ...

A package about which no service answers is named as not checked and fails nothing: pip-audit itself says "No known
vulnerabilities found" where an index without vulnerability data answers nothing for all of them. What is accepted
stands in vulnerabilities.toml beside this file, each with a reason and a last day.
"""

import argparse
import dataclasses
import datetime
import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).with_name("vulnerabilities.toml")
SERVICES = ("pypi", "osv")
_SECONDS = 900
_NAMED, _LONGEST = 5, 200


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is to be said of a lock.

    Attributes:
        lines: for people.
        failed: whether a vulnerability is there that nobody has accepted, or no longer.
    """

    lines: tuple[str, ...]
    failed: bool


def load_accepted(path: Path = ACCEPTED) -> dict[tuple[str, str], dict[str, Any]]:
    """(package, id) to entry.

    Raises:
        ValueError: an entry lacks its package, id, reason or last day.
    """
    entries = tomllib.loads(path.read_text()).get("accepted", [])
    for entry in entries:
        lacking = [name for name in ("package", "id", "reason", "until") if not entry.get(name)]
        if lacking or not isinstance(entry["until"], datetime.date):
            raise ValueError(f"{path.name}: {entry} lacks {', '.join(lacking) or 'a date in until'}")
    return {(entry["package"], entry["id"]): entry for entry in entries}


def judge(
    packages: Sequence[dict[str, Any]], accepted: dict[tuple[str, str], dict[str, Any]], today: datetime.date
) -> Verdict:
    """What pip-audit found against what is accepted.

    Args:
        packages: `dependencies` of pip-audit's JSON.
        accepted: of `load_accepted`.
        today: an entry holds up to and with its last day.
    """
    lines, failed = [], False
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    for package in packages:
        for found in package.get("vulns", ()):
            names = [found["id"], *found.get("aliases", ())]
            entry = next((accepted[package["name"], n] for n in names if (package["name"], n) in accepted), None)
            title = f"{package['name']} {package['version']}: {' = '.join(names)}"
            if entry and entry["until"] >= today:
                lines.append(f"accepted until {entry['until']}: {title} ({entry['reason']})")
                continue
            failed = True
            mended = ", ".join(found.get("fix_versions", ())) or "no version yet"
            state = f"accepted until {entry['until']} only" if entry else "not accepted"
            lines.append(f"VULNERABLE: {title}; {state}; mended in {mended}")
    checked = len(packages) - len(skipped)
    if not checked:
        lines.append(f"could not check any of {len(packages)} packages: the service knows none of them")
    else:
        left = f"; could not check {_listed(skipped)}" if skipped else ""
        lines.append(f"checked {checked} of {len(packages)} packages{left}")
    return Verdict(tuple(lines), failed)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def audit(pip_audit: str, lock: str, service: str) -> list[dict[str, Any]] | str:
    """What pip-audit found, or why it found nothing out."""
    command = [pip_audit, "--requirement", lock, "--require-hashes", "--disable-pip", "--progress-spinner=off"]
    command += ["--format=json", "--aliases=on", f"--vulnerability-service={service}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or ["no output"]
        return lines[-1][:_LONGEST]
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"


def check(pip_audit: str, lock: str) -> Verdict:
    """Asks the services in turn, until one knows at least one of the lock's packages."""
    lines: list[str] = []
    for service in SERVICES:
        found = audit(pip_audit, lock, service)
        if isinstance(found, str):
            lines.append(f"could not check by {service}: {found}")
            continue
        verdict = judge(found, load_accepted(), datetime.date.today())
        if any("skip_reason" not in package for package in found):
            return verdict
        lines += [f"{service}: {line}" for line in verdict.lines]
    return Verdict((*lines, "COULD NOT CHECK: nothing is known of any package"), False)


def main() -> int:
    """Checks each lock; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pip_audit", default="pip-audit", help="the command")
    parser.add_argument("locks", nargs="+")
    arguments = parser.parse_args()
    failed = False
    for lock in arguments.locks:
        verdict = check(arguments.pip_audit, lock)
        failed |= verdict.failed
        print("\n".join(f"{lock}: {line}" for line in verdict.lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
