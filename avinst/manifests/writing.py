"""Writes manifest rows so that `read_manifest` gives the same rows back."""

import math
import os
from collections.abc import Sequence
from pathlib import PurePosixPath

from avinst import paths
from avinst.errors import UserError
from avinst.manifests import text as manifest_text
from avinst.manifests.making import number
from avinst.manifests.rows import LABEL_SEPARATOR, ManifestRow
from avinst.paths import StrPath


def write_manifest(rows: Sequence[ManifestRow], output: StrPath, *, overwrite: bool = True) -> None:
    """Writes a manifest, whole or not at all, with the columns that these rows need.

    Args:
        rows: what `read_manifest` would return.
        output: the file; JSONL if it ends in `.jsonl`, else CSV.
        overwrite: replace a file that says something else, which somebody may have edited.

    Raises:
        UserError: it cannot be written there, a name is not text, or the file is not to be replaced.
    """
    output = os.fspath(output)
    text = manifest_text.render(output, [_values(row) for row in rows], LABEL_SEPARATOR)
    try:
        if not overwrite and paths.exists(output) and paths.read_bytes(output) != text.encode():
            raise UserError(
                f"{output!r} is there already and says something else; give another --output, "
                "or --overwrite to replace it"
            )
        paths.write_text(output, text)
    except UnicodeEncodeError as error:
        around = text[max(error.start - 30, 0) : error.end + 10]
        raise UserError(f"a file name is not UTF-8 text: {around!r}; rename the file") from error
    except OSError as error:
        raise UserError(f"cannot write {output!r}: {error.strerror}; give another --output") from error


def _values(row: ManifestRow) -> dict[str, object]:
    """The row's values by column, without those that are the reader's defaults."""
    default_id = str(PurePosixPath(row.video_path).with_suffix(""))  # the default group, too, whatever the id
    return {
        "video_path": row.video_path,
        "label": list(row.labels),
        "video_id": "" if row.video_id == default_id else row.video_id,
        "split": row.split,
        "start_seconds": number(row.start_seconds) if row.start_seconds else "",
        "end_seconds": "" if math.isinf(row.end_seconds) else number(row.end_seconds),
        "group": "" if row.group == default_id == row.video_id else row.group,
    }
