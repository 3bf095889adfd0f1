import json

import pytest

from avinst.errors import UserError
from trainer.workers import check_single_machine


@pytest.mark.parametrize(
    "cluster",
    [{}, {"chief": ["a:1"]}, {"worker": ["a:1"]}, {"chief": ["a:1"], "worker": []}, None],
)
def test_a_job_of_one_machine_passes(cluster):
    check_single_machine({"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "chief", "index": 0}})})


def test_no_tf_config_passes():
    check_single_machine({})
    check_single_machine({"TF_CONFIG": ""})
    check_single_machine({"TF_CONFIG": "{}"})


@pytest.mark.parametrize(
    ("cluster", "counts"),
    [
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": []}, "1 chief, 2 worker"),
        ({"worker": ["a:1", "b:1"]}, "2 worker"),
    ],
)
def test_several_processes_are_refused_with_their_counts_and_what_to_do(cluster, counts):
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    with pytest.raises(UserError, match=rf"\({counts}\).*one worker on a machine with more GPUs, or unset"):
        check_single_machine({"TF_CONFIG": json.dumps(config)})


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": [1]}', '{"cluster": {"worker": 3}}'])
def test_a_damaged_tf_config_says_so(text):
    with pytest.raises(UserError, match="TF_CONFIG is damaged"):
        check_single_machine({"TF_CONFIG": text})
