"""The Beam step that every job over videos ends with: keeps a decoder child and hands it the shards to write."""

import abc
from collections.abc import Iterator

import apache_beam as beam

from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits
from avinst.quiet import import_tensorflow_quietly
from beam_pipelines.layout import Shard


class ShardStep(beam.DoFn, abc.ABC):
    """One decoder child for each thread that Beam gives work to; what a shard becomes is said by `write`."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._decoder: Decoder | None = None

    def setup(self) -> None:
        """Starts the decoder child."""
        import_tensorflow_quietly()
        self._decoder = Decoder(self._limits)

    def process(self, shard: Shard) -> Iterator[str]:
        """Writes the shard; yields its name."""
        assert self._decoder is not None
        self.write(shard, self._decoder)
        yield shard.name

    @abc.abstractmethod
    def write(self, shard: Shard, decoder: Decoder) -> None:
        """Makes the shard's files and then its record."""

    def teardown(self) -> None:
        """Ends the decoder child."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
