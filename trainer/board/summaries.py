"""Figures as images and words as text in TensorBoard."""

import tensorflow as tf
from matplotlib.figure import Figure

from avinst.figure_png import figure_png


def write_figure(log_dir: str, tag: str, figure: Figure, step: int = 0) -> None:
    """Writes a figure as an image summary under a tag, in an event file of its own."""
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default():
        figure_summary(tag, figure, step)
    writer.close()


def write_text(log_dir: str, tag: str, markdown: str, step: int = 0) -> None:
    """Writes Markdown as a text summary under a tag."""
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default():
        tf.summary.text(tag, markdown, step=step)
    writer.close()


def figure_summary(tag: str, figure: Figure, step: int = 0, description: str = "") -> None:
    """Writes a figure as an image summary to the default writer."""
    image = tf.io.decode_png(figure_png(figure, dpi=100), channels=3)
    tf.summary.image(tag, image[tf.newaxis], step=step, description=description or None)
