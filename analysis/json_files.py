"""JSON files that people read too."""

import json

from avinst import paths


def write_json(content: object, path: str) -> None:
    """Writes plain values, indented, other scripts' letters as they are."""
    paths.write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
