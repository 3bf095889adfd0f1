"""Many small requests to a cloud file system at once: one after the other, each would wait for the one before."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from avinst import paths

REQUESTS_AT_ONCE = 32

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(directory: str, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function's results in the order of the items; a call's error is raised when its turn comes.

    Args:
        directory: where the function's files are. Threads call it on a cloud file system; local files do not wait.
        function: makes requests there; safe to be called from several threads.
        items: its arguments.
    """
    if not paths.is_remote(directory):
        yield from map(function, items)
        return
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        yield from pool.map(function, items)
