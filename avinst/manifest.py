"""Makes a manifest from a folder of class folders, or from the annotation files of a known data set.

avinst manifest --format=folders --media_root=VIDEOS --output=manifest.csv
avinst manifest --format=vggsound --annotations=vggsound.csv --media_root=VIDEOS --output=harps.csv

Videos are looked for below the media root at any depth: as the data set's path or id with the extension of a
video, clips that were cut out also as ID_start_end or ID_start (ID_000030_000040.mp4, ID_30_40.mp4).

--json prints `manifest` (the file), `rows`, `videos`, `labels` and `splits` (names to numbers of rows) and
`notes`: what was left out, in words.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from absl import flags

from avinst import command, command_flags
from avinst.errors import UsageError
from avinst.manifests.formats import FORMATS
from avinst.manifests.from_media import make_rows
from avinst.manifests.rows import SPLITS, ManifestRow
from avinst.manifests.writing import write_manifest

_SHOWN = 20
__doc__ = f"{__doc__}\nformats:\n" + "\n".join(f"  {name:<9} {known.about}" for name, known in FORMATS.items())

FLAGS = command_flags.new_flags()
_FORMAT = flags.DEFINE_enum(
    "format",
    "folders",
    list(FORMATS),
    "what the labels come from; see above",
    flag_values=FLAGS,
)
_ANNOTATIONS = flags.DEFINE_list(
    "annotations", [], "the annotation files of the data set, a comma between them", flag_values=FLAGS
)
_MEDIA_ROOT = flags.DEFINE_string("media_root", None, "the folder of the videos", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string(
    "output", "manifest.csv", "the manifest to be written: CSV, or JSONL if it ends in .jsonl", flag_values=FLAGS
)
_LABELS = flags.DEFINE_list(
    "labels",
    [],
    "keep only these labels; one that holds a comma in quotes: '\"violin, fiddle\",harp'",
    flag_values=FLAGS,
)
_MISSING = flags.DEFINE_enum(
    "missing",
    "skip",
    ["skip", "fail"],
    "what to do about annotated videos that are not on disk: leave them out and count them, or stop",
    flag_values=FLAGS,
)
_TRIMMED = flags.DEFINE_bool(
    "trimmed",
    False,
    "files named by the id alone are the annotated clips, not the whole videos",
    flag_values=FLAGS,
)
_VALIDATION_SHARE = flags.DEFINE_float(
    "validation_share",
    0.0,
    "takes this share of a given training split as validation, by sha256 of the group; the test split stays",
    lower_bound=0.0,
    upper_bound=0.9,
    flag_values=FLAGS,
)

_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "replace a manifest that says something else", flag_values=FLAGS
)
_JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)

FLAG_GROUPS = {
    "where the labels and the videos are": ("format", "annotations", "media_root"),
    "what is kept": ("labels", "missing", "trimmed", "validation_share"),
    "what is written": ("output", "overwrite", "json"),
}


def manifest() -> None:
    """Flags to one plain call; writes the manifest and says what is in it and what is not."""
    media_root = command_flags.required(_MEDIA_ROOT)
    reads = FORMATS[_FORMAT.value].read is not None
    if reads and not _ANNOTATIONS.value:
        raise UsageError(f"--annotations is missing; {_FORMAT.value} is {FORMATS[_FORMAT.value].about}")
    if _ANNOTATIONS.value and not reads:
        raise UsageError(
            f"--annotations with --format={_FORMAT.value}, which reads none; name the data set's format"
        )
    rows, notes = make_rows(
        media_root,
        _FORMAT.value,
        _ANNOTATIONS.value,
        _LABELS.value,
        _MISSING.value,
        _TRIMMED.value,
        _VALIDATION_SHARE.value,
    )
    write_manifest(rows, _OUTPUT.value, overwrite=_OVERWRITE.value)
    if _JSON.value:
        command.print_json({"manifest": _OUTPUT.value, **_counts(rows), "notes": notes})
        return
    for line in [f"{_OUTPUT.value}: {_summary(rows)}", *notes]:
        print(line)  # noqa: T201


def _counts(rows: Sequence[ManifestRow]) -> dict[str, Any]:
    """Rows, videos, rows of each label, and rows of each split that the annotations give."""
    labels = Counter(label for row in rows for label in row.labels)
    splits = Counter(row.split for row in rows if row.split)
    return {
        "rows": len(rows),
        "videos": len({row.video_path for row in rows}),
        "labels": {label: labels[label] for label in sorted(labels)},
        "splits": {split: splits[split] for split in SPLITS if splits[split]},
    }


def _summary(rows: Sequence[ManifestRow]) -> str:
    found = _counts(rows)
    videos, counts, splits = found["videos"], found["labels"], found["splits"]
    listed = [f"{label} {count}" for label, count in counts.items()]
    more = f", and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    text = f"{videos} videos, " + (f"{len(rows)} spans of them, " if len(rows) > videos else "")
    text += f"{len(counts)} labels ({', '.join(listed[:_SHOWN])}{more})"
    if splits:
        text += "; " + ", ".join(f"{split} {count}" for split, count in splits.items())
    if "train" in splits and "validation" not in splits:
        text += "; no validation: --validation_share=0.15 takes it from train"
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(manifest, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
