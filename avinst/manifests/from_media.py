"""Makes a manifest of the videos in a folder, labelled by its class folders or by a data set's annotations."""

import os
from collections.abc import Sequence

from avinst.errors import UserError
from avinst.keyword_settings import check_choice
from avinst.manifests.formats import FORMATS, labelled_by_folder
from avinst.manifests.making import (
    distinct_ids,
    keep_labels,
    one_group_a_file,
    one_row_a_span,
    one_split_a_group,
    place,
    take_validation,
)
from avinst.manifests.media_index import MediaIndex, list_videos
from avinst.manifests.rows import ManifestRow
from avinst.manifests.writing import write_manifest
from avinst.paths import StrPath
from avinst.paths_below import stays_below
from avinst.progress import tell


def make_manifest(
    media_root: StrPath,
    output: StrPath,
    *,
    format_name: str = "folders",
    annotations: Sequence[str] = (),
    labels: Sequence[str] = (),
    missing: str = "skip",
    trimmed: bool = False,
    validation_share: float = 0.0,
    overwrite: bool = False,
) -> list[ManifestRow]:
    """Writes a manifest of the videos below a folder, as `avinst manifest` does; tells what is left out.

    Args:
        media_root: the folder of the videos.
        output: the file to write: CSV, or JSONL if it ends in `.jsonl`.
        format_name: where the labels come from: `folders` (each class has its folder) or the name of a known data
            set, see `avinst manifest --help`.
        annotations: the annotation files of the data set.
        labels: keep only these; empty: all.
        missing: what to do about annotated videos that are not on disk: `skip` them or `fail`.
        trimmed: files named by the id alone are the annotated clips, not the whole videos.
        validation_share: share of a given training split to take as validation, 0 to 0.9.
        overwrite: replace a file that says something else, which somebody may have edited.

    Returns:
        The rows, one a video or a span of it.

    Raises:
        UserError: annotation files with errors, no video on disk, some missing where that is to fail, or a file
            that cannot be written or is not to be replaced.
    """
    media_root, output = os.fspath(media_root), os.fspath(output)
    rows, notes = make_rows(media_root, format_name, annotations, labels, missing, trimmed, validation_share)
    write_manifest(rows, output, overwrite=overwrite)
    for note in notes:
        tell(note)
    return rows


def make_rows(
    media_root: str,
    format_name: str = "folders",
    annotations: Sequence[str] = (),
    labels: Sequence[str] = (),
    missing: str = "skip",
    trimmed: bool = False,
    validation_share: float = 0.0,
) -> tuple[list[ManifestRow], list[str]]:
    """The rows of a manifest, and notes for the user about what was left out; see `make_manifest`."""
    check_choice("format", format_name, list(FORMATS))
    check_choice("missing", missing, ("skip", "fail"))
    for name, given in (("annotations", annotations), ("labels", labels)):
        if isinstance(given, str | os.PathLike):
            found = os.fspath(given)
            raise UserError(f"{name}={found!r}: expected a list, such as [{found!r}]")
    read = FORMATS[format_name].read
    # Annotations first: a million files take a while to list, a wrong annotation file is known at once.
    annotated = read(annotations) if read else None
    notes: list[str] = []
    listed = list_videos(media_root, notes.append)
    videos = [video for video in listed if stays_below(media_root, video)]
    annotated = labelled_by_folder(videos) if annotated is None else annotated
    if labels:
        annotated = keep_labels(annotated, labels)
    rows, absent = place(annotated, MediaIndex(videos), trimmed)
    if len(videos) < len(listed):
        notes.append(
            f"left out: {len(listed) - len(videos)} links that lead out of {media_root!r}; put copies there"
        )
    loose = 0 if read else sum("/" not in video for video in videos)
    if loose:
        notes.append(f"left out: {loose} videos that lie in no class folder")
    if absent:
        names = ", ".join(repr(annotation.name) for annotation in absent[:3])
        note = f"{len(absent)} of {len(annotated)} annotated videos are not below {media_root!r} ({names} ...)"
        if missing == "fail" or not rows:
            raise UserError(f"{note}; check --media_root" + (", or use --missing=skip" if rows else ""))
        notes.append(f"missing: {note}")
    rows, divided = one_split_a_group(one_group_a_file(rows))
    if divided:
        notes.append(f"left out: {divided} rows of recordings that are in a later split too (test before train)")
    rows, overlapping = one_row_a_span(rows)
    if overlapping:
        notes.append(f"left out: {overlapping} rows that overlap another span of the same file")
    rows = distinct_ids(rows)
    if validation_share:
        rows = take_validation(rows, validation_share)
    return rows, notes
