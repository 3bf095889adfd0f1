"""docs/scale.md is what the script makes of the recorded measurements, and its arithmetic is right."""

import dataclasses
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import scale_page
import scale_record
import scale_words
from scale_parameters import Parameters
from scale_steps import Scale, bytes_a_recording, bytes_a_shard, memory_a_row, plan_bytes_a_row

ROOT = Path(__file__).parents[2]
MEASURED = scale_record.load()
ROUND = {
    "media_360": {"cpu_seconds_per_media_second": [0.03, 0.01, 0.02], "bytes_per_segment": 50_000.0},
    "models_299": {
        "schemes": {
            "audio": {"training_cpu_seconds": 0.1, "inference_cpu_seconds": 0.02},
            "visual": {"training_cpu_seconds": 0.3, "inference_cpu_seconds": 0.08},
            "joint": {"training_cpu_seconds": 0.5, "inference_cpu_seconds": 0.1},
        }
    },
    "launcher_100000": {"rows": 100_000, "videos_per_shard": 10, "request_bytes": 2e6, "peak_mb": 300.0},
    "launcher_1000000": {
        "rows": 1_000_000,
        "videos_per_shard": 10,
        "request_bytes": 11e6,
        "plan_bytes": 50e6,
        "peak_mb": 1200.0,
    },
    "records_4": {"videos": 4, "record_bytes": 1400},
    "records_64": {"videos": 64, "record_bytes": 7400},
    "layout_3600": {"layouts": {"10": {"tail": {"8": 1.5}}}},
}
GIVEN = Parameters(
    mean_seconds=100,
    kept_seconds=50,
    epochs=10,
    gpus=2,
    gpu_factor=10,
    dataflow_vcpu_hour=0.1,
    dataflow_gb_hour=0.01,
    memory_gb_per_vcpu=4,
    disk_gb_hour=0.001,
    disk_gb_per_vcpu=10,
    writes_10k=1,
    reads_10k=0.1,
    vertex_vcpu_hour=0.2,
    vertex_gpu_hour=3,
)
SCALE = Scale(3600, 10, 8, ROUND, GIVEN)  # 180,000 segments in 360 shards


def test_the_page_is_fresh():
    fresh = scale_page.page(MEASURED, Parameters())
    assert (ROOT / "docs" / "scale.md").read_text() == fresh, "run python benchmarks/scale.py"


def test_preparing_by_hand():
    step = SCALE.prepare()
    assert step.vcpu_hours == pytest.approx(180_000 * 0.02 / 3600)  # the median of three: 1 hour
    assert step.wall_hours == pytest.approx(1.5 / 8)  # with the tail
    assert step.dollars["machines"] == pytest.approx(0.1 + 4 * 0.01 + 10 * 0.001)
    # Four writes a shard; a read of each video, nine requests for each record.
    assert step.dollars["requests"] == pytest.approx(360 * 4 / 1e4 + (3600 + 360 * 9) / 1e4 * 0.1)


def test_predicting_runs_the_model_too():
    assert SCALE.predict().vcpu_hours == pytest.approx(1 + 180_000 * 0.1 / 3600)


def test_training_by_hand():
    joint, independent = SCALE.train("joint"), SCALE.train("independent")
    # Ten epochs over the training split, the validation split after each; the features of both for the head, once.
    assert joint.vcpu_hours == pytest.approx(180_000 * 10 * (0.7 * 0.5 + 0.15 * 0.1) / 3600)
    assert independent.vcpu_hours == pytest.approx(180_000 * (10 * (0.7 * 0.4 + 0.15 * 0.1) + 0.85 * 0.1) / 3600)
    assert joint.gpu_hours == pytest.approx(joint.vcpu_hours / 10)
    assert joint.gpu_wall_hours == pytest.approx(joint.vcpu_hours / 20)
    assert joint.gpu_dollars == pytest.approx(joint.vcpu_hours / 10 * 3)
    assert joint.dollars == {"machines": pytest.approx(joint.vcpu_hours * 0.2)}


def test_analyzing_passes_the_test_split_once():
    assert SCALE.analyze().vcpu_hours == pytest.approx(0.15 * 180_000 * 0.1 / 3600)


def test_a_slower_vcpu_works_longer_and_a_gpu_as_long():
    slow = dataclasses.replace(SCALE, given=dataclasses.replace(GIVEN, vcpu_factor=0.5))
    assert slow.prepare().vcpu_hours == pytest.approx(2 * SCALE.prepare().vcpu_hours)
    assert slow.train("joint").gpu_hours == pytest.approx(SCALE.train("joint").gpu_hours)


def test_bytes_by_hand():
    assert SCALE.dataset_bytes == 180_000 * 50_000
    assert bytes_a_shard(ROUND) == 100  # 9 MB more for 90,000 shards more
    assert plan_bytes_a_row(ROUND) == 50
    assert memory_a_row(ROUND) == pytest.approx(900 * 2**20 / 900_000)
    assert bytes_a_recording(ROUND) == 100
    assert SCALE.record_bytes == 360 * 1000 + 3600 * 100


@pytest.mark.parametrize("field", dataclasses.fields(Parameters), ids=lambda field: field.name)
def test_every_parameter_matters(field):
    """Doubled, it changes a number, not only its own line."""
    given = Parameters(kept_seconds=40.0)
    before = getattr(given, field.name)
    other = {"height": 720, "frame_size": 128, "videos": (5_000, 1_000_000, 1_000_000)}.get(field.name)
    doubled = tuple(2 * value for value in before) if isinstance(before, tuple) else 2 * before
    changed = scale_page.page(MEASURED, dataclasses.replace(given, **{field.name: other or doubled}))
    assert _before_the_parameters(changed) != _before_the_parameters(scale_page.page(MEASURED, given))


def _before_the_parameters(page):
    return page.split("## Measured")[0]


def test_every_measurement_names_a_command_that_is_there():
    for name, values in MEASURED.items():
        script, *flags = re.fullmatch(r"python (benchmarks/\w+\.py)((?: --\w+=\w+)+)", values["command"]).groups()
        text = (ROOT / script).read_text()
        for flag in re.findall(r"--\w+", flags[0]):
            assert f'"{flag}"' in text, f"{name}: {script} has no {flag}"


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (scale_words.number, 123_456, "123,000"),
        (scale_words.number, 1.2345, "1.23"),
        (scale_words.number, 0.000123, "0.000123"),
        (scale_words.count, 5_000, "5,000"),
        (scale_words.count, 97_657, "97.7 thousand"),
        (scale_words.count, 6e9, "6 billion"),
        (scale_words.size, 53_026, "53 kB"),
        (scale_words.size, 3.18e12, "3.18 TB"),
        (scale_words.hours, 0.5, "30 min"),
        (scale_words.hours, 47, "47 h"),
        (scale_words.hours, 72, "3 days"),
        (scale_words.hours, 0.001, "3.6 s"),
        (scale_words.dollars, 1902.3, "$1,900"),
        (scale_words.dollars, 0.001, "under $0.01"),
    ],
)
def test_numbers_in_words(function, value, text):
    assert function(value) == text
