"""Licences: of all packages that avinst's requirements lead to, and of the FFmpeg inside PyAV's wheel."""

import dataclasses
import importlib.metadata
import re
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from avinst.errors import UserError

UNKNOWN = "UNKNOWN"
# What a user may have installed besides; `dev` is for the repository alone.
_EXTRAS = ("gcp", "dask", "gpu")
_LONGEST_NAME = 60
_VAGUE = ("dual license", "see license", "license.txt", "unknown")
_WEAK = re.compile(r"LGPL|Lesser General|MPL|Mozilla|EPL|CDDL|EUPL", re.IGNORECASE)
_REACH = ("", "weak", "strong")
_STRONG = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public|CC-BY-SA|SSPL", re.IGNORECASE)
# EXTERNAL_LIBRARY_GPL_LIST of FFmpeg's configure, those that decode, encode or filter.
_GPL_LIBRARIES = (
    "libdavs2",
    "librubberband",
    "libvidstab",
    "libx264",
    "libx265",
    "libxavs",
    "libxavs2",
    "libxvid",
)


@dataclasses.dataclass(frozen=True)
class Licence:
    """What one installed package says of its licence.

    Attributes:
        name: the package, normalised.
        version: the installed one.
        licence: a name or an SPDX expression; UNKNOWN where the package says nothing that could be read.
        copyleft: `strong` (GPL and its like), `weak` (LGPL, MPL, ...) or empty; of the package or of what its
            wheel bundles, whichever reaches further.
        bundled: licence of the native libraries in the wheel, where the package's own words do not tell it; SPDX.
        note: in words.
    """

    name: str
    version: str
    licence: str
    copyleft: str = ""
    bundled: str = ""
    note: str = ""


def dependency_licences(package: str = "avinst") -> list[Licence]:
    """The licences of all that the package's requirements lead to, itself left out, by name.

    Of its extras only what is installed is listed, of the rest of the environment nothing.

    Raises:
        UserError: the package, or something that it requires, is not installed.
    """
    needed, missing = _reached(package, [""])
    if missing:
        raise UserError(f"not installed: {', '.join(sorted(missing))}; run make setup, or pip install {package}")
    optional, _ = _reached(package, _EXTRAS)
    found = {**optional, **needed}
    del found[canonicalize_name(package)]
    return [_licence_of(name, found[name]) for name in sorted(found)]


def _reached(package: str, extras: Iterable[str]) -> tuple[dict[str, importlib.metadata.Distribution], set[str]]:
    """What is installed of a package and its requirements with these extras ("" for none), and what is not."""
    found: dict[str, importlib.metadata.Distribution] = {}
    missing = set()
    waiting = [(canonicalize_name(package), extra) for extra in extras]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            missing.add(str(name))
            continue
        found[name] = distribution
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            for wanted in ("", *requirement.extras):
                pair = (canonicalize_name(requirement.name), wanted)
                if pair not in seen:
                    seen.add(pair)
                    waiting.append(pair)
    return found, missing


def _licence_of(name: str, distribution: importlib.metadata.Distribution) -> Licence:
    expression, field = (
        "".join(distribution.metadata.get_all(key) or []) for key in ("License-Expression", "License")
    )
    licence = licence_name(expression, field, distribution.metadata.get_all("Classifier") or [])
    if name != "av":
        return Licence(name, distribution.version, licence, copyleft(licence))
    says, gpl_libraries = ffmpeg_licence()
    bundled = ffmpeg_in_effect(says, gpl_libraries)
    reach = max(copyleft(licence), copyleft(bundled), key=_REACH.index)
    return Licence(name, distribution.version, licence, reach, bundled, ffmpeg_words(says, gpl_libraries))


def licence_name(expression: str, field: str, classifiers: Iterable[str]) -> str:
    """A package's licence in one line, from the three places where its metadata may name it.

    Args:
        expression: `License-Expression`, SPDX: taken where it is there.
        field: `License`: a name, or the whole text; its first line is taken where that is a name.
        classifiers: those that begin with `License ::` are taken last.
    """
    if expression:
        return expression
    first = next((line.strip() for line in field.splitlines() if line.strip()), "")
    is_name = (
        0 < len(first) <= _LONGEST_NAME and re.match(r"[A-Za-z0-9]", first) and "copyright" not in first.lower()
    )
    if is_name and not first.lower().startswith(_VAGUE):
        return first
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    return " / ".join(named) or UNKNOWN


def copyleft(licence: str) -> str:
    """`strong`, `weak` or empty; empty too where the licence may be chosen from several and one is neither."""
    alternatives = licence.split(" OR ") if " AND " not in licence and "(" not in licence else [licence]
    kinds = ["strong" if _STRONG.search(text) else "weak" if _WEAK.search(text) else "" for text in alternatives]
    return min(kinds, key=_REACH.index)


def ffmpeg_licence() -> tuple[str, tuple[str, ...]]:
    """What the FFmpeg inside PyAV says of its licence, and the GPL libraries that it is configured with."""
    from av import _core  # no public name tells the configuration

    library = _core.library_meta["libavcodec"]
    switches = set(re.findall(r"--enable-(\w+)", library["configuration"]))
    return library["license"], tuple(name for name in _GPL_LIBRARIES if name in switches)


def ffmpeg_in_effect(says: str, gpl_libraries: tuple[str, ...]) -> str:
    """What an FFmpeg may be passed on under, as an SPDX expression: GPL libraries in it make it GPL.

    Version 3 of the LGPL leaves version 3 of the GPL, for the libraries are under "version 2 or later".
    """
    gpl = bool(gpl_libraries or _STRONG.search(says))
    version = "3.0" if "version 3" in says else "2.0" if gpl else "2.1"
    return f"{'GPL' if gpl else 'LGPL'}-{version}-or-later"


def ffmpeg_words(says: str, gpl_libraries: tuple[str, ...]) -> str:
    """One sentence: what is inside PyAV's wheel."""
    text = f"carries FFmpeg, which says of itself: {says}"
    if gpl_libraries and not _STRONG.search(says):
        text += f"; but it is linked with {' and '.join(gpl_libraries)} (GPL version 2 or later)"
        text += f": {ffmpeg_in_effect(says, gpl_libraries)} in effect"
    return text
