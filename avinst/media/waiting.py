"""The packets of one stream that are held while the other stream of the same file is read."""

import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

# So much of one stream is held in memory while the other is read; where a file is interleaved more coarsely, the
# stream gets a demuxer of its own. Not from the beginning: each holds an index of the file, 20 MB for 2 hours.
HELD_BYTES = 16 * 2**20


class WaitingPackets:
    """The packets of one stream that were read for the sake of the other.

    Attributes:
        is_full: the stream is to be read by a demuxer of its own after those that are held.
    """

    def __init__(self) -> None:
        self.is_full = False
        self._packets: deque[Any] = deque()
        self._bytes = 0
        # The last decoding time stamp taken, and the number of packets since: where another demuxer begins
        # after a seek depends on the streams that it reads.
        self._stamp: int | None = None
        self._since = 0

    def add(self, packet: Any) -> None:
        """Holds a packet; where too much is held already, it is left to the demuxer of its own."""
        if not self.is_full:
            self._packets.append(packet)
            self._bytes += packet.size
            self.is_full = self._bytes > HELD_BYTES

    def take(self) -> Iterator[Any]:
        """Gives those that are held, the oldest first, and forgets them."""
        while self._packets:
            packet = self._packets.popleft()
            self._bytes -= packet.size
            if packet.dts is None:
                self._since += 1
            else:
                self._stamp, self._since = packet.dts, 1
            yield packet

    def after_taken(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Those of the same stream, read once more, that come after what was taken."""
        stamp = self._stamp
        if stamp is not None:
            packets = itertools.dropwhile(lambda packet: packet.dts is None or packet.dts < stamp, packets)
        return itertools.islice(packets, self._since, None)
