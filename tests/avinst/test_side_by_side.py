import threading

import pytest

from avinst.side_by_side import side_by_side


def test_on_a_cloud_file_system_calls_wait_together():
    together = threading.Barrier(8)

    def request(number):
        together.wait(timeout=30)  # breaks unless eight are there at once
        return number * number

    assert list(side_by_side("gs://bucket/data", request, range(8))) == [number * number for number in range(8)]


def test_local_files_are_read_one_after_the_other_in_the_caller():
    threads = list(side_by_side("/data", lambda _: threading.current_thread(), range(8)))
    assert set(threads) == {threading.current_thread()}


def test_an_error_is_raised_in_its_turn():
    def request(number):
        if number == 2:
            raise OSError("gone")
        return number

    results = side_by_side("gs://bucket/data", request, range(4))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OSError, match="gone"):
        next(results)
