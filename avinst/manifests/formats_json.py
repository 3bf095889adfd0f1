"""Data sets of YouTube ids by instrument that come as JSON: MUSIC and Solos."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation, checked, read_file

SOLOS_FRAMES_PER_SECOND = 25
_ERRORS_SHOWN = 10


def read_music(files: Sequence[str]) -> list[Annotation]:
    """Reads MUSIC: `{"videos": {"flute": ["id", ...], "saxophone acoustic_guitar": [...]}}`.

    A space stands between the two instruments of a duet: two labels. Whole videos.

    Raises:
        UserError: not JSON of this shape; wrong entries all together, with the keys that lead to them.
    """
    return [row for file in files for row in _read(file, _music_rows)]


def _music_rows(content: Any) -> Iterator[Annotation | UserError]:
    if not isinstance(content, dict) or not isinstance(content.get("videos"), dict):
        raise UserError('expected {"videos": {"instrument": ["YouTube id", ...]}}')
    for instruments, names in content["videos"].items():
        if not isinstance(names, list):
            yield UserError(f"{instruments!r}: expected a list of YouTube ids, found {type(names).__name__}")
            continue
        for name in names:
            if isinstance(name, str):
                yield _checked_or_error(Annotation(name, tuple(instruments.split()), group=name), instruments)
            else:
                yield UserError(f"{instruments!r}: expected a YouTube id, found {name!r}")


def read_solos(files: Sequence[str]) -> list[Annotation]:
    """Reads Solos: `{"Trombone": {"_W2VM3uinZA": [[18, 750], [760, 2028]]}}`, spans in frames at 25 a second.

    Every span is a row of its own, the spans of one video are one group.

    Raises:
        UserError: not JSON of this shape; wrong entries all together, with the keys that lead to them.
    """
    return [row for file in files for row in _read(file, _solos_rows)]


def _solos_rows(content: Any) -> Iterator[Annotation | UserError]:
    if not isinstance(content, dict) or not all(isinstance(videos, dict) for videos in content.values()):
        raise UserError('expected {"Instrument": {"YouTube id": [[first frame, last frame], ...]}}')
    for instrument, videos in content.items():
        for name, spans in videos.items():
            for span in spans if isinstance(spans, list) else [spans]:
                if _is_span(span):
                    first, last = (frame / SOLOS_FRAMES_PER_SECOND for frame in span)
                    annotation = Annotation(name, (instrument.strip(),), "", first, last, group=name)
                    yield _checked_or_error(annotation, instrument)
                else:
                    yield UserError(
                        f"{instrument!r}, {name!r}: expected [first frame, last frame], found {span!r}"
                    )


def _is_span(span: Any) -> bool:
    return isinstance(span, list) and len(span) == 2 and all(type(frame) in (int, float) for frame in span)


def _checked_or_error(annotation: Annotation, key: str) -> Annotation | UserError:
    try:
        return checked(annotation)
    except UserError as error:
        return UserError(f"{key!r}: {error}")


def _read(file: str, rows: Callable[[Any], Iterator[Annotation | UserError]]) -> list[Annotation]:
    """The annotations of one JSON file. It has no lines to name: the keys say where an error is."""
    try:
        content = json.loads(read_file(file), object_pairs_hook=_no_key_twice)
        found = list(rows(content))
    except json.JSONDecodeError as error:
        raise UserError(f"{file}: line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise UserError(f"{file}: nested too deeply; is this the file of the data set?") from error
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    errors = [str(row) for row in found if isinstance(row, UserError)]
    if errors:
        more = f"; and {len(errors) - _ERRORS_SHOWN} more" if len(errors) > _ERRORS_SHOWN else ""
        raise UserError(f"{file}: {len(errors)} bad entries: " + "; ".join(errors[:_ERRORS_SHOWN]) + more)
    if not found:
        raise UserError(f"{file} holds no annotations; is this the file of the data set, and whole?")
    return [row for row in found if isinstance(row, Annotation)]


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that is there twice, Python's parser would drop the first one's videos in silence."""
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UserError(f"key {twice!r} is there twice; join the two")
    return dict(pairs)
