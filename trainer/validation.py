"""What a network reaches on the validation split: loss, accuracy, and the figures that need all rows at once."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from trainer.evaluation.scores import weighted_scores

METRICS = ("f1_macro", "map")


class Validation:
    """Measures a compiled model whose output is logits, on every replica.

    Loss and accuracy are those that the model was compiled with; `f1_macro` and `map` are the ones of `avinst
    evaluate`, by segment.

    Args:
        model: the model.
        batches: one pass over the split, of known length.
        multi_label: sigmoid instead of softmax.
    """

    def __init__(self, model: keras.Model, batches: tf.data.Dataset, *, multi_label: bool) -> None:
        self._model, self._multi_label = model, multi_label
        self._count = int(batches.cardinality())
        self._strategy = model.distribute_strategy
        self._batches = self._strategy.experimental_distribute_dataset(batches)

        @tf.function(reduce_retracing=True)
        def forward(batch: tuple) -> tuple[tf.Tensor, tf.Tensor]:
            return self._strategy.run(lambda features, label: (label, model(features, training=False)), args=batch)

        self._forward = forward

    def measure(self, after_batch: Callable[[int], None]) -> dict[str, float]:
        """One pass.

        Args:
            after_batch: is called with the number of batches done.

        Returns:
            val_loss, val_accuracy, val_f1_macro and val_map.
        """
        labels: list[np.ndarray] = []
        logits: list[np.ndarray] = []
        batches = iter(self._batches)
        for number in range(self._count):
            for rows, found in zip((labels, logits), self._forward(next(batches)), strict=True):
                rows += [part.numpy() for part in self._strategy.experimental_local_results(found)]
            after_batch(number + 1)
        return self._metrics(np.concatenate(labels), np.concatenate(logits))

    def _metrics(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        probabilities = (tf.sigmoid if self._multi_label else tf.nn.softmax)(logits).numpy()
        weights = np.ones((1, len(labels)))
        scores = weighted_scores(labels, probabilities, weights, multi_label=self._multi_label)
        hits = (logits > 0) == (labels > 0) if self._multi_label else logits.argmax(1) == labels.argmax(1)
        return {
            "val_loss": float(self._model.loss(labels, logits)),
            "val_accuracy": float(hits.mean()),
            **{f"val_{name}": float(scores[name][0]) for name in METRICS},
        }
