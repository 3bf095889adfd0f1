"""TensorFlow without start-up messages that a user cannot act on."""

import os
import sys
import tempfile
import warnings


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow and tensorflow-io with their start-up messages kept back.

    The messages (no CUDA driver, oneDNN is on, native tensorflow-io kernels missing) are written by C++ code
    straight to file descriptor 2 before any log level is read, so the descriptor itself is turned aside during
    the import. If the import fails, what was kept back is shown. A TF_CPP_MIN_LOG_LEVEL below 3 from outside turns
    all of this off.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # Level 2 still reports the missing GPU of every CPU machine as an error.
    if "tensorflow" in sys.modules or os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        stderr = os.dup(2)
        os.dup2(aside.fileno(), 2)
        failed = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import tensorflow
            # Its warnings are about functions traced again and the like: nothing that a user could change.
            tensorflow.get_logger().setLevel("ERROR")
            failed = False
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                aside.seek(0)
                sys.stderr.write(aside.read().decode(errors="replace"))
