"""The sound of the segments that are shown: of the recording where it is found, else made from the log-mel."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from analysis.explained.evidence_sound import evidence_sound
from analysis.galleries import Choice, Exhibit
from analysis.recordings import Recordings
from analysis.resynthesis import resynthesize
from avinst.log_mel import log_mel
from avinst.media.decoder import Decoder
from avinst.media.fetching import local_media
from avinst.media.types import MediaError, Segment
from avinst.spec import DatasetSpec

# Decoding the same second again differs by 0.02 dB (float16); another second of music by 10 dB and more.
_SAME_DB = 1.0


@dataclasses.dataclass(frozen=True)
class Sound:
    """What is to be heard of a segment.

    Attributes:
        waveform: float32 [segment_samples] in [-1, 1], mono: what the model heard.
        rate_hz: samples a second.
        resynthesised: made from the log-mel; not the recording's own sound.
        reason: why it was; empty for the recording's own.
        kept: float32 [segment_samples], the same masked by the shown map of the spectrogram; None where that has
            no evidence or there is none.
    """

    waveform: np.ndarray
    rate_hz: int
    resynthesised: bool
    reason: str = ""
    kept: np.ndarray | None = None


def find_sounds(
    exhibits: Sequence[Exhibit],
    spec: DatasetSpec,
    recordings: Recordings | None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[Choice, Sound]:
    """Each segment's sound.

    Args:
        exhibits: the segments that are shown, with their log-mel.
        spec: of the dataset.
        recordings: where to look for the files; None: every sound is made from the log-mel.
        say: is told what is being done.
    """
    segments = {_key(exhibit): exhibit for exhibit in exhibits}
    if not segments:
        return {}
    sounds: dict[tuple[str, float], Sound] = {}
    reasons = dict.fromkeys(segments, "no --media_root was given")
    if recordings is not None:
        say(f"sound of {len(segments)} segments from {recordings.media_root}")
        with Decoder() as decoder:
            for key, exhibit in segments.items():
                found = _recorded(decoder, recordings, exhibit, spec)
                if isinstance(found, str):
                    reasons[key] = found
                else:
                    sounds[key] = Sound(found, spec.sample_rate_hz, resynthesised=False)
    missing = [key for key in segments if key not in sounds]
    if missing:
        say(f"sound of {len(missing)} segments from their log-mel")
        made = resynthesize(np.stack([segments[key].inputs["log_mel"] for key in missing]), spec)
        for key, waveform in zip(missing, made, strict=True):
            sounds[key] = Sound(waveform, spec.sample_rate_hz, resynthesised=True, reason=reasons[key])
    return {exhibit.choice: _with_kept(sounds[_key(exhibit)], exhibit, spec) for exhibit in exhibits}


def _with_kept(sound: Sound, exhibit: Exhibit, spec: DatasetSpec) -> Sound:
    """With what the exhibit's map keeps of it: the map differs from label to label, the sound does not."""
    if "audio" not in exhibit.evidence or "audio" in exhibit.dead:
        return sound
    found = exhibit.evidence["audio"]
    each_cell = np.arange(found.shape[0], dtype=np.float64), np.arange(found.shape[1], dtype=np.float64)
    blocks = evidence_sound(sound.waveform[np.newaxis], found[np.newaxis], each_cell, np.zeros(1, int), spec)
    return dataclasses.replace(sound, kept=np.concatenate(list(blocks)))


def _recorded(decoder: Decoder, recordings: Recordings, exhibit: Exhibit, spec: DatasetSpec) -> np.ndarray | str:
    """The recording's own second, or why there is none."""
    reason = f"no file of it below {recordings.media_root}"
    for path in recordings.candidates(exhibit.choice.video_id):
        try:
            found = decode_second(decoder, path, spec, exhibit.start_seconds)
        except (MediaError, OSError) as error:
            reason = f"its file could not be decoded: {error}"
            continue
        if found is None:
            reason = "its file no longer holds this second"
            continue
        difference = np.abs(log_mel(found, spec).numpy() - exhibit.inputs["log_mel"]).mean()
        if difference <= _SAME_DB:
            return found
        reason = f"its file holds another sound than the dataset ({difference:.1f} dB apart)"
    return reason


def decode_second(decoder: Decoder, path: str, spec: DatasetSpec, start_seconds: float) -> np.ndarray | None:
    """The waveform of one segment, float32 [segment_samples]; None where it cannot be used.

    Raises:
        MediaError: the file gives nothing at all.
        OSError: it cannot be read.
    """
    with local_media(path, decoder.limits) as local:
        # Read to its end, which comes at once: a decoder that is left in the middle has to be started again.
        items = list(decoder.decode(local, spec, start_seconds, start_seconds + spec.segment_seconds))
    return next((item.waveform for item in items if isinstance(item, Segment)), None)


def _key(exhibit: Exhibit) -> tuple[str, float]:
    return exhibit.choice.video_id, exhibit.start_seconds
