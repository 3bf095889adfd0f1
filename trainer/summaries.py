"""Figures as images in TensorBoard."""

import io

import tensorflow as tf
from matplotlib.figure import Figure


def write_figure(log_dir: str, tag: str, figure: Figure, step: int = 0) -> None:
    """Writes a figure as an image summary under a tag."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    image = tf.io.decode_png(buffer.getvalue(), channels=3)
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default():
        tf.summary.image(tag, image[tf.newaxis], step=step)
    writer.close()
