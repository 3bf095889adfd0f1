"""Renders synthetic performances for the demo: a folder of videos of drawn, sampled instruments."""

import concurrent.futures.process
import dataclasses
import functools
import json
import multiprocessing
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from avinst import paths
from avinst.errors import UserError
from avinst.paths import StrPath
from avinst.progress import Progress
from avinst.synthesis.scene import Scene, random_scene
from avinst.synthesis.sound import SAMPLE_RATE_HZ, VOICES, play, random_performance
from avinst.synthesis.soundfont_file import load_soundfont
from avinst.synthesis.truth import regions_csv, truth_of
from avinst.synthesis.video import check_encoders, write_mp4

SETTINGS_FILE = "performances.json"
DRAWN_FILE = "instruments_drawn.json"
REGIONS_FILE = "regions.csv"
FRAMES_PER_SECOND = 10
_STYLE = 3  # counts changes of what is drawn or played, so that old and new files never mix
_SMALLEST, _LARGEST = 48, 1080
_Video = tuple[str, int]  # instrument, number
_Result = tuple[bool, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a folder of performances: the number of instruments and of videos, length, size and seed."""

    instruments: int
    videos_per_instrument: int
    seconds: float
    size: int
    seed: int
    style: int = _STYLE

    def __post_init__(self) -> None:
        """Raises UserError for values that give no videos."""
        checks = {
            f"instruments must be 2 to {len(VOICES)}": 2 <= self.instruments <= len(VOICES),
            "videos_per_instrument must be 1 to 1000": 1 <= self.videos_per_instrument <= 1000,
            "seconds must be 1 to 60": 1 <= self.seconds <= 60,
            f"size must be even, {_SMALLEST} to {_LARGEST}": _SMALLEST <= self.size <= _LARGEST
            and self.size % 2 == 0,
            "seed must be at least 0": self.seed >= 0,
        }
        broken = [text for text, holds in checks.items() if not holds]
        if broken:
            raise UserError(f"performances: {'; '.join(broken)}; found {self}")

    @property
    def width(self) -> int:
        """Width of the pictures, pixels: 4:3, rounded to an even number as H.264 wants it."""
        return 2 * round(self.size * 2 / 3)

    def frame_times(self) -> list[float]:
        """The second at which each frame is shown."""
        return [index / FRAMES_PER_SECOND for index in range(round(self.seconds * FRAMES_PER_SECOND))]

    def videos(self) -> list[_Video]:
        """Instrument and number of each video."""
        return [
            (instrument, number)
            for instrument in list(VOICES)[: self.instruments]
            for number in range(self.videos_per_instrument)
        ]


def render_performances(
    output_dir: StrPath,
    *,
    instruments: int = 8,
    videos_per_instrument: int = 60,
    seconds: float = 2.0,
    size: int = 144,
    seed: int = 0,
    workers: int = 2,
    progress: Progress | None = None,
) -> list[str]:
    """Writes the videos `output_dir/<instrument>/<instrument>_000.mp4`, `instruments_drawn.json`, `regions.csv`.

    A video depends on the seed, its instrument, its number, its length and its size alone. Videos that are there
    from an earlier run with the same settings are kept.

    Args:
        output_dir: a new folder, or one of an earlier run with the same settings.
        instruments: how many; the first of `avinst.synthesis.sound.VOICES`.
        videos_per_instrument: how many of each.
        seconds: length of a video.
        size: height of the picture in pixels, even; the width is 4/3 of it.
        seed: decides all that is random.
        workers: processes; with 1 this process does the work. With more, a script calls this below
            `if __name__ == "__main__":`, because the processes import the script.
        progress: advanced by each video.

    Returns:
        The videos' paths relative to `output_dir`, by instrument and number.

    Raises:
        UserError: settings out of range, or a folder that cannot be written or holds other things.
    """
    output_dir = os.fspath(output_dir)
    settings = Settings(instruments, videos_per_instrument, seconds, size, seed)
    check_encoders()
    _claim_folder(output_dir, settings)
    videos = settings.videos()
    truths = {}
    rendered = _each(functools.partial(_render, output_dir, settings), videos, workers)
    for video, (is_new, truth) in zip(videos, rendered, strict=True):
        truths[video_path(*video).removesuffix(".mp4")] = truth
        if progress and is_new:
            progress.advance()
        elif progress:
            progress.skip(1)
    paths.write_text(str(Path(output_dir, DRAWN_FILE)), json.dumps(truths))
    paths.write_text(str(Path(output_dir, REGIONS_FILE)), regions_csv(truths))
    return [video_path(*video) for video in videos]


def video_path(instrument: str, number: int) -> str:
    """Where a video is below the output folder."""
    return f"{instrument}/{instrument}_{number:03d}.mp4"


def scene_of(settings: Settings, instrument: str, number: int) -> Scene:
    """The scene, and in it the performance, of one video: a pure function of its arguments."""
    # crc32, as Python's own hash differs from process to process.
    rng = np.random.default_rng([settings.seed, zlib.crc32(instrument.encode()), number])
    performance = random_performance(instrument, settings.seconds, rng)
    return random_scene(performance, settings.width, settings.size, rng)


def _render(output_dir: str, settings: Settings, video: _Video) -> _Result:
    """Writes a video unless it is there; returns whether it was written, and the truth about it."""
    scene = scene_of(settings, *video)
    path = Path(output_dir, video_path(*video))
    is_new = not path.exists()
    if is_new:
        sound = play(scene.performance, load_soundfont())
        frames = (scene.frame(time) for time in settings.frame_times())
        try:
            with paths.replacing(str(path)) as temporary:
                write_mp4(temporary, frames, FRAMES_PER_SECOND, sound, SAMPLE_RATE_HZ)
        except OSError as error:
            raise UserError(
                f"cannot write {str(path)!r}: {error.strerror}; make room or choose another folder"
            ) from error
    return is_new, truth_of(scene, FRAMES_PER_SECOND, settings.frame_times())


def _each(render: Callable[[_Video], _Result], videos: list[_Video], workers: int) -> Iterator[_Result]:
    """The results in order, worked out in `workers` processes if more than one."""
    if workers <= 1 or len(videos) <= 1:
        yield from map(render, videos)
        return
    # Spawned: a forked child of a process that runs TensorFlow's threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(workers, mp_context=context)
    try:
        yield from pool.map(render, videos, chunksize=4)
    except concurrent.futures.process.BrokenProcessPool as error:
        raise UserError(
            "a rendering process ended, perhaps for lack of memory, or because a script calls this outside of "
            "`if __name__ == '__main__':`; run it again to go on"
        ) from error
    finally:
        # Without cancelling, an error or Ctrl-C would wait until all other videos are rendered.
        pool.shutdown(cancel_futures=True)


def _claim_folder(output_dir: str, settings: Settings) -> None:
    """Makes the folders and notes the settings; a folder of other settings is an error."""
    folder, wanted = Path(output_dir), dataclasses.asdict(settings)
    file = folder / SETTINGS_FILE
    if file.exists():
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{str(file)!r} is damaged ({error}); delete the folder {output_dir!r}") from error
        if found != wanted:
            raise UserError(
                f"{output_dir!r} holds performances of other settings ({found}, wanted {wanted}); "
                "choose another folder or delete this one"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{output_dir!r} holds other files; choose a new or an empty folder for the performances")
    if not file.exists():
        paths.make_directory(output_dir)
        paths.write_text(str(file), json.dumps(wanted))
    for instrument in sorted({instrument for instrument, _ in settings.videos()}):
        paths.make_directory(str(folder / instrument))
        for leftover in (folder / instrument).glob(".tmp-*"):  # of a run that was killed
            leftover.unlink()
