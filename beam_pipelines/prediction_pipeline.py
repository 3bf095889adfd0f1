"""The Beam job of `predict`: the chain with what writes a shard of predictions at its end."""

from typing import TYPE_CHECKING

import apache_beam as beam

from avinst.media.decoder import Decoder
from avinst.quiet import import_tensorflow_quietly
from beam_pipelines.chain import add_chain
from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan
from beam_pipelines.prediction_work import PredictionWork
from beam_pipelines.shard_record import PredictionsRecord
from beam_pipelines.shard_step import ShardStep

if TYPE_CHECKING:
    from beam_pipelines.detector import Detector


def add_predict(pipeline: beam.Pipeline, plan: Plan, work: PredictionWork) -> beam.PCollection:
    """Adds the chain to a pipeline; its output is the names of the shards that were written."""
    return add_chain(pipeline, plan, work.output_dir, PredictionsRecord, WritePredictions(work))


class WritePredictions(ShardStep):
    """Wraps `write_predictions`, with one model for all threads of the process."""

    def __init__(self, work: PredictionWork) -> None:
        super().__init__(work.limits)
        self._work = work
        self._detector: Detector | None = None

    def setup(self) -> None:
        """Loads the model, where no other thread has, and starts the decoder child."""
        import_tensorflow_quietly()
        from beam_pipelines.detector import shared_detector

        self._detector = shared_detector(self._work.model_dir, self._work.fingerprint)
        super().setup()

    def write(self, shard: Shard, decoder: Decoder) -> None:
        """Makes the shard's files of predictions and its record."""
        from beam_pipelines.prediction_writer import write_predictions

        assert self._detector is not None
        write_predictions(shard, detector=self._detector, decoder=decoder, work=self._work)

    def teardown(self) -> None:
        """Ends the decoder child; the model stays for the next thread that asks."""
        super().teardown()
        self._detector = None
