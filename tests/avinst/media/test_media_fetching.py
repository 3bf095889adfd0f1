import pytest
from media_factory import write_media

from avinst import paths
from avinst.errors import UserError
from avinst.manifests.rows import ManifestRow
from avinst.media.decoder import Decoder
from avinst.media.fetching import local_media
from avinst.media.types import DecodeLimits, MediaError
from avinst.media.video_segments import segment_batches
from avinst.spec import DatasetSpec
from beam_pipelines.row_segments import segments_of

REMOTE = "ram://media"  # TensorFlow's file system in memory stands for a cloud one
SPEC = DatasetSpec(frame_size=32)
SIZE = 100_000


@pytest.fixture
def fetched(monkeypatch):
    """The remote files that were copied."""
    seen = []
    copy = paths.local_copy

    def noted(path):
        seen.append(path)
        return copy(path)

    monkeypatch.setattr(paths, "local_copy", noted)
    return seen


@pytest.fixture
def remote_file():
    path = paths.join(REMOTE, "a.mp4")
    paths.make_directory(REMOTE)
    paths.write_bytes(path, bytes(SIZE))
    return path


def test_a_file_that_is_too_large_is_not_fetched(remote_file, fetched):
    with (
        pytest.raises(MediaError, match="too_large") as error,
        local_media(remote_file, DecodeLimits(max_file_bytes=SIZE - 1)),
    ):
        pass
    assert (error.value.stage, error.value.reason) == ("open", "too_large")
    assert fetched == []
    with local_media(remote_file, DecodeLimits(max_file_bytes=SIZE)) as local:
        assert paths.read_bytes(local) == bytes(SIZE)
    assert fetched == [remote_file]


def test_what_makes_segments_of_it_asks_first_and_tells(remote_file, fetched):
    row, rejects, losses = ManifestRow("a.mp4", ("x",), "a"), [], []
    with Decoder(DecodeLimits(max_file_bytes=SIZE - 1)) as decoder:
        assert list(segments_of(row, SPEC, REMOTE, decoder, lambda *told: rejects.append(told))) == []
        with pytest.raises(Exception, match="gives no segment: too_large: 100000 bytes; 99999 bytes are allowed"):
            list(segment_batches(remote_file, decoder, SPEC, losses))
    assert [told[1:4] for told in rejects] == [(None, "open", "too_large")]
    assert fetched == []


def test_a_file_that_may_not_be_fetched_is_one_line(remote_file, monkeypatch):
    def refuse(path):
        raise paths.RemoteFileError(0, "permission denied", path)

    monkeypatch.setattr(paths, "local_copy", refuse)
    told = f"'{remote_file}' cannot be fetched: permission denied; check its permissions"
    with Decoder() as decoder, pytest.raises(UserError, match=told):
        list(segment_batches(remote_file, decoder, SPEC, []))


def test_a_remote_recording_is_decoded(tmp_path, fetched):
    path = paths.join(REMOTE, "good.mp4")
    paths.make_directory(REMOTE)
    paths.copy(write_media(tmp_path / "good.mp4", seconds=2.0), path)
    rejects = []
    with Decoder() as decoder:
        row = ManifestRow("good.mp4", ("x",), "good")
        found = list(segments_of(row, SPEC, REMOTE, decoder, lambda *told: rejects.append(told)))
    assert ([segment.index for segment in found], rejects) == ([0, 1], [])
    assert fetched == [path]
