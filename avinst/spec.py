"""The dataset spec: every size and rate that decides what an example holds."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from avinst.errors import UserError
from avinst.json_values import check_types

FrameFit = Literal["stretch", "crop", "pad"]


@dataclasses.dataclass(frozen=True)
class DatasetSpec:
    """What `prepare` makes of a video; written to `dataset.json` and read from there by all that follows.

    Attributes:
        sample_rate_hz: rate to which the mono sound is resampled.
        segment_seconds: length of a segment; segments follow each other without overlap.
        window_samples: length of the Hann window of the STFT, in samples; also the FFT's length.
        hop_samples: distance of two windows, in samples.
        mel_bands: number of mel bands.
        mel_low_hz: lower edge of the lowest mel band.
        mel_high_hz: upper edge of the highest mel band, at most half the sample rate.
        log_floor: smallest mel magnitude; the decibel scale ends at 20 log10(log_floor).
        frame_size: width and height of a frame, in pixels.
        frame_fit: how a picture comes to be square: `stretch`, `crop` (centre) or `pad` (black bars).
        jpeg_quality: quality of the stored JPEG, 1 to 100.
    """

    sample_rate_hz: int = 22_050
    segment_seconds: float = 1.0
    window_samples: int = 1024
    hop_samples: int = 220
    mel_bands: int = 96
    mel_low_hz: float = 30.0
    mel_high_hz: float = 11_025.0
    log_floor: float = 1e-5
    frame_size: int = 299
    frame_fit: FrameFit = "stretch"
    jpeg_quality: int = 92

    def __post_init__(self) -> None:
        """Raises UserError where the values contradict each other."""
        numbers = [value for value in dataclasses.asdict(self).values() if isinstance(value, int | float)]
        try:
            finite = all(map(math.isfinite, (*numbers, self.sample_rate_hz * self.segment_seconds)))
        except OverflowError:  # a whole number that no float holds
            finite = False
        if not finite:
            raise UserError(f"dataset spec: all numbers must be finite; found {self._odd()}")
        checks = {
            "sample_rate_hz must be positive": self.sample_rate_hz > 0,
            "segment_seconds must hold at least one window": self.segment_samples >= self.window_samples > 0,
            "hop_samples must be positive": self.hop_samples > 0,
            "mel_bands must be 1 to window_samples / 2, the FFT's bins": 0
            < self.mel_bands
            <= self.window_samples // 2,
            "mel_low_hz must be at least 0 and below mel_high_hz": 0 <= self.mel_low_hz < self.mel_high_hz,
            "mel_high_hz must be at most half of sample_rate_hz": 2 * self.mel_high_hz <= self.sample_rate_hz,
            "log_floor must be positive": self.log_floor > 0,
            "frame_size must be 32 to 2048": 32 <= self.frame_size <= 2048,
            "jpeg_quality must be 1 to 100": 1 <= self.jpeg_quality <= 100,
            f"frame_fit must be one of {get_args(FrameFit)}": self.frame_fit in get_args(FrameFit),
        }
        broken = [text for text, holds in checks.items() if not holds]
        if broken:
            raise UserError(f"dataset spec: {'; '.join(broken)}; found {self._odd()}")

    def _odd(self) -> str:
        """The values that are not the defaults."""
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        values = dataclasses.asdict(self)
        return ", ".join(f"{name} {values[name]}" for name in values if values[name] != defaults[name])

    @property
    def segment_samples(self) -> int:
        """Samples of one segment's waveform."""
        return round(self.sample_rate_hz * self.segment_seconds)

    @property
    def log_mel_frames(self) -> int:
        """Windows that lie wholly inside a segment: the one rule for writer, reader and model."""
        return 1 + (self.segment_samples - self.window_samples) // self.hop_samples

    @property
    def floor_db(self) -> float:
        """The log-mel value of digital silence, dB."""
        return 20.0 * math.log10(self.log_floor)

    def fingerprint(self) -> str:
        """Sha256 of the values, so that shards of another spec are never mixed in."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises UserError for unknown or missing names, and values of other types."""
        names = {field.name for field in dataclasses.fields(cls)}
        if set(values) != names:
            unknown, missing = sorted(set(values) - names), sorted(names - set(values))
            raise UserError(f"dataset spec: unknown {unknown}, missing {missing}; prepare the dataset anew")
        try:
            check_types(cls, values)
        except TypeError as error:
            raise UserError(f"dataset spec: {error}; prepare the dataset anew") from error
        return cls(**values)
