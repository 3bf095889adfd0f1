import dataclasses

import pytest

from avinst.errors import UserError
from avinst.spec import DatasetSpec


def test_the_default_spec_gives_a_square_log_mel():
    spec = DatasetSpec()
    # 22,050 samples, window 1024, hop 220: the last window that fits begins at 95 * 220 = 20,900 <= 21,026.
    assert (spec.log_mel_frames, spec.mel_bands) == (96, 96)
    assert spec.floor_db == pytest.approx(-100.0)


@pytest.mark.parametrize(("samples", "frames"), [(1024, 1), (1243, 1), (1244, 2), (1464, 3)])
def test_only_whole_windows_count(samples, frames):
    spec = dataclasses.replace(DatasetSpec(), sample_rate_hz=22_050, segment_seconds=samples / 22_050)
    assert spec.segment_samples == samples
    assert spec.log_mel_frames == frames


def test_every_field_changes_the_fingerprint():
    other = {
        "sample_rate_hz": 44_100,
        "segment_seconds": 2.0,
        "window_samples": 512,
        "hop_samples": 221,
        "mel_bands": 64,
        "mel_low_hz": 31.0,
        "mel_high_hz": 11_000.0,
        "log_floor": 1e-4,
        "frame_size": 128,
        "frame_fit": "pad",
        "jpeg_quality": 91,
    }
    assert set(other) == {field.name for field in dataclasses.fields(DatasetSpec)}
    prints = {dataclasses.replace(DatasetSpec(), **{name: value}).fingerprint() for name, value in other.items()}
    assert len(prints | {DatasetSpec().fingerprint()}) == len(other) + 1


def test_json_round_trip_and_unknown_names():
    spec = DatasetSpec(frame_size=96)
    assert DatasetSpec.from_json(spec.to_json()) == spec
    values = {**spec.to_json(), "colour": 1}
    with pytest.raises(UserError, match=r"unknown \['colour'\], missing \['frame_size'\]"):
        DatasetSpec.from_json({name: value for name, value in values.items() if name != "frame_size"})


@pytest.mark.parametrize(
    "change",
    [
        {"sample_rate_hz": 16_000},  # the mel bands would end above half of it
        {"segment_seconds": 0.01},
        {"hop_samples": 0},
        {"mel_bands": 0},
        {"mel_bands": 513},  # of 512 bins of the FFT
        {"mel_low_hz": 20_000.0},
        {"frame_size": 8},
        {"frame_fit": "squeeze"},
        {"jpeg_quality": 0},
        {"log_floor": 0.0},
        {"segment_seconds": float("nan")},
        {"segment_seconds": float("inf")},
    ],
)
def test_contradictions_are_refused(change):
    with pytest.raises(UserError, match="dataset spec"):
        dataclasses.replace(DatasetSpec(), **change)
