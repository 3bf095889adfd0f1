"""What fuzzing has found stays mended: each finding, made small, once more."""

import shutil
from pathlib import Path

import example_bytes
import fuzz_media
import numpy as np
import pytest
import tensorflow as tf
from example_bytes import HostileFile, example_with, jpeg_of
from text_readers import READERS, check_text
from text_seeds import SEEDS

from avinst.media.decoder import Decoder

CORPUS = Path(__file__).parent / "corpus"
# Name in corpus/media to what must come of it.
MEDIA = {"opus_held_back.webm": {"too_short"}}
TEXTS = sorted(path.name for path in (CORPUS / "text").iterdir())


@pytest.mark.parametrize("name", MEDIA)
def test_media_that_were_found(tmp_path, name):
    file = shutil.copy(CORPUS / "media" / name, tmp_path)
    with Decoder(fuzz_media.LIMITS) as decoder:
        assert fuzz_media.outcome(decoder, str(file)).reasons == MEDIA[name]


def test_the_media_corpus_is_whole():
    assert {path.name for path in (CORPUS / "media").iterdir()} == set(MEDIA)


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_were_found(tmp_path, name):
    """A file is called after its reader: `regions-open_quote`. All of them are refused."""
    assert check_text(name.partition("-")[0], tmp_path, (CORPUS / "text" / name).read_bytes())


@pytest.mark.parametrize("reader", READERS)
def test_bytes_that_are_no_text_are_refused(tmp_path, reader):
    if not reader.endswith("_record"):  # a shard's record that cannot be read means that the shard is made anew
        assert check_text(reader, tmp_path, b"violin\n\xff\n")


@pytest.mark.parametrize("reader", READERS)
def test_good_texts_are_read(tmp_path, reader):
    for text in SEEDS[reader]:
        assert check_text(reader, tmp_path, text.encode()) == ""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return HostileFile(tmp_path_factory.mktemp("hostile"))


BYTES = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))
HOSTILE_EXAMPLES = {
    "a frame whose head says 12,000 x 12,000": {"jpeg": jpeg_of(32, 32, (12_000, 12_000))},
    "a PNG": {"jpeg": jpeg_of(32, 32, kind="PNG")},
    "no label": {"labels": ()},
    "a label beyond the last": {"labels": (1, 3)},
    "a label before the first": {"labels": (-1,)},
    "a log-mel of one byte": {"audio__log_mel": BYTES},
    "a number that is bytes": {"segment__index": BYTES},
}


@pytest.mark.parametrize("changes", HOSTILE_EXAMPLES.values(), ids=HOSTILE_EXAMPLES)
def test_hostile_examples_are_refused_by_the_parser_and_named_by_their_file(target, changes):
    record = example_with(**changes)
    assert target.parse(record)
    assert "is damaged; delete" in target.read_records([*target.records[:5], record])


def test_a_frame_of_another_size_is_refused_before_it_is_decoded(target):
    """Decoded, this kilobyte would be 432 MB; its pixels are broken off, which only decoding can tell."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="a frame that is not 32 x 32 pixels"):
        target._parse(tf.constant([example_with(jpeg=jpeg_of(32, 32, (12_000, 12_000)))]))


def test_names_of_features_that_are_no_text_are_a_damaged_file_too(target):
    record = target.records[0].replace(b"label/index", b"label/\xff\xfe\xfd\xfc\xfb")
    assert "is damaged; delete" in target.read_records([record, *target.records[1:]])


def test_records_that_are_too_many_or_too_few_are_told(target):
    for records in (target.records[:4], [*target.records, target.records[0]]):
        told = target.read_records(records)
        assert f"holds {len(records)} examples, 6 were written; delete its train-*.tfrecord" in told


def test_good_examples_are_read(target):
    assert target.read_records(target.records) == ""
    assert target.read_file(target.content) == ""
    assert target.parse(example_with()) == ""


def test_the_checks_of_a_target_can_fail(target):
    wrong = np.zeros((2, 1, 1), np.float32)
    with pytest.raises(AssertionError):
        example_bytes._check(wrong, wrong, wrong)
