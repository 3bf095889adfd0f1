"""Whether the files of an explained video may be written, told before a model is loaded."""

from pathlib import Path

from avinst import paths
from avinst.errors import UsageError, UserError
from avinst.nearest import file_hint


def check_outputs(video: str, output: str, listen: str, *, overwrite: bool) -> None:
    """Raises UserError where there is no video, or a file cannot be written or would replace the video.

    Args:
        video: the media file that is explained.
        output: the MP4 file to write.
        listen: the WAV file to write; empty: none.
        overwrite: replace files that are there.
    """
    if not paths.exists(video) or paths.is_directory(video):
        raise UserError(f"no video file {video!r}{file_hint(video)}")
    _check_output("output", output, ".mp4", video, overwrite=overwrite)
    if listen:
        _check_output("listen", listen, ".wav", video, overwrite=overwrite)


def _check_output(flag: str, path: str, suffix: str, video: str, *, overwrite: bool) -> None:
    """Raises an error where a file may not or cannot be written, or would replace the video itself."""
    if not path.lower().endswith(suffix):
        raise UsageError(f"--{flag}={path}: expected a name that ends with {suffix}")
    if paths.absolute(path) == paths.absolute(video) or (
        not paths.is_remote(path) and not paths.is_remote(video) and Path(path).resolve() == Path(video).resolve()
    ):
        raise UserError(f"--{flag}={path} is the video itself; give another name")
    if paths.is_directory(path):
        raise UserError(f"--{flag}={path} is a directory; give the name of a file")
    folder = str(Path(path).absolute().parent)
    if not paths.is_remote(path) and not paths.is_directory(folder):
        raise UserError(f"--{flag}={path}: there is no directory {folder!r}; make it first")
    if not paths.is_remote(path):
        paths.check_writable(folder)
    if paths.exists(path) and not overwrite:
        raise UserError(f"--{flag}={path} is there already; give another name, or --overwrite to replace it")
