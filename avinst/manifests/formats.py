"""The data sets that `avinst manifest` knows: how each is described, what it reads, and how to add one.

A new format is a function from the paths of annotation files to a list of `Annotation`, and a line in FORMATS.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation
from avinst.manifests.formats_csv import read_audioset, read_kinetics, read_vggsound
from avinst.manifests.formats_fcvid import read_fcvid, read_icmr2017
from avinst.manifests.formats_json import read_music, read_solos
from avinst.manifests.media_index import VIDEO_EXTENSIONS
from avinst.manifests.rows import LABEL_SEPARATOR, checked_labels


def labelled_by_folder(videos: Sequence[str]) -> list[Annotation]:
    """Takes the first folder of each path as its label; videos that lie in no folder are left out.

    Args:
        videos: paths relative to the media root.

    Raises:
        UserError: no video in any folder, or a folder whose name no label can have.
    """
    found = [Annotation(path, (path.split("/")[0].strip(),)) for path in videos if "/" in path]
    for label in sorted({annotation.labels[0] for annotation in found}):
        if LABEL_SEPARATOR in label or not label:
            raise UserError(f"folder {label!r}: a label has a name without {LABEL_SEPARATOR!r}; rename the folder")
        try:
            checked_labels((label,))
        except UserError as error:
            raise UserError(f"folder: {error}") from error
    if not found:
        extensions = " ".join(VIDEO_EXTENSIONS)
        raise UserError(f"no videos in the class folders; expected ROOT/CLASS/*.mp4 ({extensions})")
    return found


class Format(NamedTuple):
    """A data set: what it is in one line, and the reader of its annotation files (None: it has none)."""

    about: str
    read: Callable[[Sequence[str]], list[Annotation]] | None


FORMATS: Mapping[str, Format] = {
    "folders": Format("one folder of videos for each class; no annotation files", None),
    "fcvid": Format(
        "FCVID_VideoName_TrainTestSplit.txt,FCVID_Label.txt: several labels, split given, class from the folder",
        read_fcvid,
    ),
    "icmr2017": Format(
        "the list of the ICMR 2017 code, ./violinPerformance/ID,6: class from the folder, not from the number",
        read_icmr2017,
    ),
    "music": Format("MUSIC's JSON of YouTube ids by instrument: two labels for duets", read_music),
    "solos": Format("Solos' JSON of spans in frames at 25 a second: one row a span", read_solos),
    "vggsound": Format("vggsound.csv: clips of 10 s, split given", read_vggsound),
    "audioset": Format(
        "eval_segments.csv and others: several labels, start, end; names of labels by class_labels_indices.csv",
        read_audioset,
    ),
    "kinetics": Format("train.csv and others: start and end, split given", read_kinetics),
}
