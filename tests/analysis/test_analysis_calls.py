"""The plain calls hand on what they are given; what they call is tested by itself."""

import pytest

from analysis import (
    CorrelationSettings,
    EvidenceSettings,
    StudySettings,
    analyze_run,
    plain_calls,
    write_explained_video,
)
from analysis.analyzing import _command
from avinst import UserError


def test_settings_go_where_they_belong(monkeypatch):
    given = {}

    def spy(run_dir, data_dir, output_dir, settings, say, **others):
        given.update(run_dir=run_dir, settings=settings, **others)

    monkeypatch.setattr(plain_calls, "analyze", spy)
    analyze_run("RUN", split="validation", permutations=7, trust_recordings=0, compare_to="OTHER")
    assert given["run_dir"] == "RUN"
    assert given["compare_to"] == "OTHER"
    assert given["settings"] == StudySettings(
        split="validation",
        correlation=CorrelationSettings(permutations=7),
        evidence=EvidenceSettings(trust_recordings=0),
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"permutation": 7}, "no setting 'permutation'; did you mean 'permutations'?"),
        ({"correlation": CorrelationSettings()}, "no setting 'correlation'; "),
        ({"manifest": "m.csv"}, "manifest='m.csv' names files below media_root; give that too"),
        (
            {"selection_split": "validaton"},
            "selection_split='validaton': expected one of train, validation, test, ",
        ),
        (
            {"gradcam_method": "gradcam+"},
            "gradcam_method='gradcam+': expected one of gradcam, gradcam++, scorecam; did you mean 'gradcam++'?",
        ),
    ],
)
def test_a_setting_that_is_not_there_is_told(settings, told):
    with pytest.raises(UserError) as error:
        analyze_run("RUN", **settings)
    assert str(error.value).startswith(told)


def test_an_explained_video_replaces_nothing_unasked(tmp_path):
    video, output = tmp_path / "clip.mp4", tmp_path / "explained.mp4"
    video.touch()
    output.touch()
    with pytest.raises(UserError, match="is there already"):
        write_explained_video("RUN", str(video), str(output))
    with pytest.raises(UserError, match=r"no run directory 'RUN'"):
        write_explained_video("RUN", str(video), str(output), overwrite=True)
    with pytest.raises(UserError, match="expected more than start_seconds"):
        write_explained_video("RUN", str(video), str(output), start_seconds=2, end_seconds=1)


def test_the_reports_command_has_the_settings_of_the_analysis():
    settings = StudySettings(correlation=CorrelationSettings(resamples=7, fdr_level=0.2))
    command = _command("RUN", "DATA", "OUT", settings, {})
    assert {"--resamples=7", "--fdr_level=0.2"} <= set(command.split())
