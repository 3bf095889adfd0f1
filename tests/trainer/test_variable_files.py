import resource

import keras
import numpy as np
import pytest

from trainer.variable_files import read_variables, write_variables


def variables(*values):
    return [keras.Variable(np.asarray(value, np.float32)) for value in values]


def test_values_come_back_by_their_order(tmp_path):
    path = str(tmp_path / "values.npz")
    write_variables(path, variables([[1.5, -2.0]], 3.0))
    found = variables([[0.0, 0.0]], 0.0)
    read_variables(path, found)
    np.testing.assert_array_equal(found[0].numpy(), [[1.5, -2.0]])
    assert float(found[1].numpy()) == 3.0


def test_another_number_of_variables_is_an_error(tmp_path):
    path = str(tmp_path / "values.npz")
    write_variables(path, variables(1.0, 2.0))
    with pytest.raises(ValueError, match="2 arrays, 1 expected"):
        read_variables(path, variables(0.0))


def test_a_full_disk_is_an_ordinary_error_and_leaves_no_file(tmp_path):
    """HDF5 files end the process there: their library cannot close them."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_variables(str(tmp_path / "values.npz"), variables(np.ones(10_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
