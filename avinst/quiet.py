"""TensorFlow without start-up messages that a user cannot act on, and without start-up work that helps nobody."""

import contextlib
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from typing import Any

# The import turns stderr aside; two threads that did so at once could leave it turned aside.
_IMPORTING = threading.RLock()
_LOG = logging.getLogger(__name__)


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow and tensorflow-io with their start-up messages kept back.

    The messages (no CUDA driver, oneDNN is on, native tensorflow-io kernels missing) are written by C++ code
    straight to file descriptor 2 before any log level is read, so the descriptor itself is turned aside during
    the import. If the import fails, what was kept back is shown. A TF_CPP_MIN_LOG_LEVEL below 3 from outside lets
    all of them through.

    Where there is no GPU, TensorFlow's graph optimizer is turned off: on two cores it took 10 s at the joint
    network's first step and 12 s of its BatchNorm statistics, and made no later step faster.

    May be called from several threads.
    """
    with _IMPORTING:
        _import_tensorflow()


def import_keras_cv_layers() -> Any:
    """The module keras_cv.layers; in a notebook a package behind it would ask for widgets that nobody needs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        from keras_cv import layers
    return layers


def _import_tensorflow() -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if "tensorflow" in sys.modules:
        return
    # Level 2 still reports the missing GPU of every CPU machine as an error.
    is_quiet = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
    with _stderr_aside() if is_quiet else contextlib.nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore" if is_quiet else "default")
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    _LOG.info("TensorFlow %s, %d GPUs", tf.__version__, len(gpus))
    if is_quiet:
        # Its warnings are about functions traced again and the like: nothing that a user could change.
        tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def _stderr_aside() -> Iterator[None]:
    """Keeps back what is written to file descriptor 2, and shows it if the body fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        stderr = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except Exception:
            _restore(stderr)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        except BaseException:  # a signal: of what was kept back nothing explains it
            _restore(stderr)
            raise
        _restore(stderr)


def _restore(stderr: int) -> None:
    os.dup2(stderr, 2)
    os.close(stderr)
