"""The versions that decide what a dataset or a model holds, for their records and for `doctor`."""

import importlib.metadata
import platform
from collections.abc import Sequence

import avinst

PACKAGES = ("tensorflow", "keras", "apache-beam", "av", "numpy", "pillow")


def package_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Package name to installed version, avinst's and Python's own first, without importing any package."""
    found = {"avinst": avinst.__version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def ffmpeg_versions() -> dict[str, str]:
    """FFmpeg library (`libavcodec`, ...) to version, of the build that PyAV carries."""
    import av

    return {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}
