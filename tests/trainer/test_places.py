import pytest

from avinst.errors import UsageError, UserError
from trainer.places import Places, places

VERTEX = {
    "AIP_CHECKPOINT_DIR": "gs://bucket/job/checkpoints/",
    "AIP_TENSORBOARD_LOG_DIR": "gs://bucket/job/logs/",
    "AIP_MODEL_DIR": "gs://bucket/job/model/",
}


def test_the_variables_of_the_service_are_taken():
    expected = Places("gs://bucket/job/checkpoints", "gs://bucket/job/logs", "gs://bucket/job/model")
    assert places(Places(""), VERTEX) == expected


def test_flags_go_before_variables():
    assert places(Places("run", "logs", "model"), VERTEX) == Places("run", "logs", "model")
    assert places(Places("run"), VERTEX).model_dir == "gs://bucket/job/model"


def test_without_variables_curves_go_below_the_run_and_no_model_is_exported():
    assert places(Places("run"), {}) == Places("run", "", "")


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="--run_dir is missing"):
        places(Places(""), {"AIP_MODEL_DIR": "gs://bucket/model"})
    with pytest.raises(UserError, match="http:// is not allowed"):
        places(Places("run"), {"AIP_MODEL_DIR": "http://bucket/model"})
    with pytest.raises(UserError, match="'run' is to hold the SavedModel alone"):
        places(Places("run", "", "run"), {})
    with pytest.raises(UserError, match="'job' is to hold the SavedModel alone"):
        places(Places("run", "job/logs", "job"), {})
    assert places(Places("job", "", "job/model"), {}).model_dir == "job/model"


def test_a_slash_at_the_end_is_no_part_of_a_directory():
    assert places(Places("run/", "logs//", "model/"), {}) == Places("run", "logs", "model")
    assert places(Places("gs://b/run/"), VERTEX).run_dir == "gs://b/run"
    for model_dir in ("gs://b/m", "gs://b/m/"):
        with pytest.raises(UserError, match="'gs://b/m' is to hold the SavedModel alone"):
            places(Places("gs://b/m/run/", "", model_dir), {})
