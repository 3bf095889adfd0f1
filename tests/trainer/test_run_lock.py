import pytest

from avinst.directory_lock import only_writer
from avinst.errors import UserError
from trainer.schemes import train


def test_train_takes_the_lock_before_it_touches_the_run(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    with (
        only_writer(run_dir, "train", "run_dir"),
        pytest.raises(UserError, match=r"another avinst train is at work .* another --run_dir"),
    ):
        train(run_dir, dataset.data_dir, small_config)
    assert list((tmp_path / "run").iterdir()) == []
