"""Quiet TensorFlow for the whole test process, before any test module imports it."""

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()
