import itertools

import keras
import numpy as np
import pytest

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.optimization import compile_for_training
from trainer.resume_point import Position, ResumePoint

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(8, 5)).astype(np.float32)
LABELS = np.eye(3, dtype=np.float32)[GENERATOR.integers(0, 3, 8)]


def compiled(seed, units=4):
    """A network with everything that has a state: moments, moving statistics, dropout, metrics."""
    keras.utils.set_random_seed(seed)
    source = keras.Input((5,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(units)(source))
    x = keras.layers.Dropout(0.5, seed=seed)(x)
    model = keras.Model(source, keras.layers.Dense(3)(x))
    compile_for_training(model, TrainConfig(), 10, multi_label=False)
    return model


def step(model):
    """One step that, unlike Keras' own train_on_batch, goes on with the metrics of the epoch."""
    model.make_train_function()
    return {name: float(value) for name, value in model.train_function(iter([(FEATURES, LABELS)])).items()}


def state(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables, *model.metrics_variables)]


def test_a_restored_training_goes_on_as_if_it_had_never_stopped(tmp_path):
    model = compiled(0)
    for _ in range(3):
        step(model)
    ResumePoint(str(tmp_path)).save(model, Position(1, 2))
    again = compiled(1)
    assert ResumePoint(str(tmp_path)).restore(again) == Position(1, 2)
    for found, expected in zip(state(again), state(model), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert int(again.optimizer.iterations.numpy()) == 3
    # The next step too: dropout, the running mean of the loss.
    assert step(again) == step(model)
    for found, expected in zip(state(again), state(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)  # float32, sums in another order


def test_the_newest_state_is_kept_alone_and_half_written_ones_are_not_taken_for_one(tmp_path):
    point, model = ResumePoint(str(tmp_path / "stage")), compiled(0)
    assert point.position() == Position()
    assert point.restore(model) == Position()
    for position in (Position(0, 7), Position(1), Position(1, 12)):
        point.save(model, position)
        assert point.position() == position
    assert [path.name for path in (tmp_path / "stage").iterdir()] == ["state-00001-0000012.npz"]
    (tmp_path / "stage" / ".tmp-1-0123abcd-state-00002-0000000.npz").write_bytes(b"half")
    assert point.position() == Position(1, 12)


def test_a_state_that_is_saved_again_stays(tmp_path):
    point, model = ResumePoint(str(tmp_path)), compiled(0)
    for _ in range(2):
        point.save(model, Position(1, 2))
    assert point.restore(model) == Position(1, 2)


def test_positions_are_ordered_by_epoch_and_step():
    """A killed process may leave an older state beside the newest one."""
    positions = [Position(), Position(0, 1), Position(0, 30), Position(1), Position(1, 4), Position(10)]
    assert all(earlier < later for earlier, later in itertools.pairwise(positions))


@pytest.mark.parametrize("damage", ["cut", "empty", "bytes"])
def test_a_damaged_state_says_so(tmp_path, damage):
    ResumePoint(str(tmp_path)).save(compiled(0), Position(1))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes({"cut": whole[:middle], "empty": b"", "bytes": whole[:200] + bytes(90) + whole[290:]}[damage])
    with pytest.raises(
        UserError, match=r"state-00001-0000000\.npz' is damaged .* delete it to begin the stage anew"
    ):
        ResumePoint(str(tmp_path)).restore(compiled(0))


def test_a_state_of_another_network_says_so(tmp_path):
    ResumePoint(str(tmp_path)).save(compiled(0), Position(1))
    with pytest.raises(UserError, match="damaged or of another version"):
        ResumePoint(str(tmp_path)).restore(compiled(0, units=6))
