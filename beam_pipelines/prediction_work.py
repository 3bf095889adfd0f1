"""What every worker of a `predict` job is told; plain data, importable without TensorFlow."""

from typing import NamedTuple

from avinst.media.types import DecodeLimits


class PredictionWork(NamedTuple):
    """What every worker must know of the job.

    Attributes:
        model_dir: the exported version directory.
        fingerprint: of the model that lies there.
        media_root: the folder that the recordings' paths are relative to.
        output_dir: the directory of the predictions.
        limits: what one recording may cost.
        batch_size: segments that the model is given at once.
        text_format: csv or jsonl.
        labelled: whether the recordings' true labels are known and repeated.
        features: whether the features are written too.
    """

    model_dir: str
    fingerprint: str
    media_root: str
    output_dir: str
    limits: DecodeLimits
    batch_size: int
    text_format: str
    labelled: bool
    features: bool
