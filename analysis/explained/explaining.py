"""From a run and a video to an explained video: the way of `avinst explain`."""

import contextlib
import dataclasses
import math
import tempfile
from collections.abc import Iterator

from analysis.explained.evidence_sound import evidence_sound, write_wav
from analysis.explained.explanation import Detecting, Explanation, explain_video, index_of_label
from analysis.explained.page import Pages
from analysis.explained.video import Drawn, draw_video
from analysis.maps.gradcam import dead_maps
from avinst import paths
from avinst.errors import UserError
from avinst.media.decoder import Decoder
from avinst.media.fetching import local_media
from avinst.media.types import DecodeLimits, MediaError
from avinst.progress import Progress
from trainer.run import load_run, read_config

_CODEC_WORDS = {"libx264": "H.264", "mpeg4": "MPEG-4 part 2, for this FFmpeg has no H.264 encoder"}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What to make.

    Attributes:
        output: MP4 file to write.
        listen: WAV file to write; empty: none.
        label: the label to explain; empty: the recording's most probable one.
        start_seconds: where to begin in the video.
        end_seconds: where to end.
        batch_size: segments at once.
    """

    output: str
    listen: str = ""
    label: str = ""
    start_seconds: float = 0.0
    end_seconds: float = math.inf
    batch_size: int = 32


def explain_file(run_dir: str, video: str, wanted: Wanted) -> list[str]:
    """Writes the files; each appears whole or not at all.

    Returns:
        What was made, in lines for the user.

    Raises:
        UserError: no finished run, no such label, a video in which nothing can be used or drawn, `listen`
            for a run that hears nothing.
    """
    config, dataset = read_config(run_dir)
    if wanted.label:
        index_of_label(wanted.label, dataset.labels)
    if wanted.listen and config.scheme == "visual":
        raise UserError(f"--listen={wanted.listen}: the run {run_dir!r} hears nothing; leave --listen away")
    detecting = Detecting(load_run(run_dir).model, dataset.spec, dataset.labels)
    with (
        tempfile.TemporaryDirectory(prefix="avinst-explain-") as folder,
        Decoder() as decoder,
        _fetched(video, decoder.limits) as local,
    ):
        progress = Progress("predicting: segments")
        explanation = explain_video(
            detecting,
            local,
            decoder,
            folder,
            wanted.label,
            wanted.start_seconds,
            wanted.end_seconds,
            wanted.batch_size,
            progress.update,
        )
        progress.finish()
        decoder.close()
        try:
            with paths.writing_locally(wanted.output) as file:
                drawn = draw_video(Pages(explanation), local, file, wanted.end_seconds, decoder.limits)
        except MediaError as error:
            raise UserError(f"{video!r} cannot be drawn: {error.reason}: {error.detail}") from error
        if wanted.listen:
            _write_sound(explanation, wanted.listen, drawn.sound_seconds)
    return _summary(explanation, wanted, drawn)


@contextlib.contextmanager
def _fetched(video: str, limits: DecodeLimits) -> Iterator[str]:
    """A local path of the video; one that is too large is told before it is fetched."""
    with contextlib.ExitStack() as fetching:
        try:
            local = fetching.enter_context(local_media(video, limits))
        except MediaError as error:
            raise UserError(f"{video!r} cannot be drawn: {error.reason}: {error.detail}") from error
        yield local


def _write_sound(explanation: Explanation, path: str, seconds: float) -> None:
    """The sound that the map keeps, as long as the sound of the video is."""
    rate = explanation.spec.sample_rate_hz
    blocks = evidence_sound(
        explanation.waveform,
        explanation.maps["audio"],
        explanation.centres["audio"],
        explanation.rows,
        explanation.spec,
    )
    with paths.writing_locally(path) as file:
        write_wav(file, blocks, rate, round(seconds * rate))


def _summary(explanation: Explanation, wanted: Wanted, drawn: Drawn) -> list[str]:
    probability = explanation.recording_probabilities[explanation.label_index]
    codec = _CODEC_WORDS[drawn.video_codec]
    lines = [
        f"{wanted.output}: evidence for {explanation.label} (probability {probability:.3f} over all), "
        f"{drawn.frames} frames, {drawn.picture_seconds:.2f} s, {codec}; sound {drawn.sound}"
    ]
    if wanted.listen:
        lines.append(f"{wanted.listen}: the sound that the map keeps, {drawn.sound_seconds:.2f} s")
    words = {"audio": "sound", "visual": "picture"}
    for modality, maps in explanation.maps.items():
        dead = int(dead_maps(maps).sum())
        if dead:
            lines.append(f"  no evidence in the {words[modality]} of {dead} of {len(maps)} segments")
    return [*lines, *(f"  not used: {loss}" for loss in explanation.losses)]
