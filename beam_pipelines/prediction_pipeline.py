"""The Beam job of `predict`: the chain with what writes a shard of predictions at its end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import apache_beam as beam

from avinst.decoder import Decoder
from avinst.quiet import import_tensorflow_quietly
from beam_pipelines.chain import add_chain
from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan
from beam_pipelines.prediction_work import PredictionWork
from beam_pipelines.shard_record import PredictionsRecord

if TYPE_CHECKING:
    from beam_pipelines.detector import Detector


def add_predict(pipeline: beam.Pipeline, plan: Plan, work: PredictionWork) -> beam.PCollection:
    """Adds the chain to a pipeline; its output is the names of the shards that were written."""
    return add_chain(pipeline, plan, work.output_dir, PredictionsRecord, WritePredictions(work))


class WritePredictions(beam.DoFn):
    """Wraps `write_predictions`: a decoder child for each thread, one model for all threads of the process."""

    def __init__(self, work: PredictionWork) -> None:
        self._work = work
        self._decoder: Decoder | None = None
        self._detector: Detector | None = None

    def setup(self) -> None:
        """Loads the model, where no other thread has, and starts the decoder child."""
        import_tensorflow_quietly()
        from beam_pipelines.detector import shared_detector

        self._detector = shared_detector(self._work.model_dir, self._work.fingerprint)
        self._decoder = Decoder(self._work.limits)

    def process(self, shard: Shard) -> Iterator[str]:
        """Writes the shard; yields its name."""
        from beam_pipelines.prediction_writer import write_predictions

        assert self._decoder is not None
        assert self._detector is not None
        write_predictions(shard, detector=self._detector, decoder=self._decoder, work=self._work)
        yield shard.name

    def teardown(self) -> None:
        """Ends the decoder child; the model stays for the next thread that asks."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._detector = None
