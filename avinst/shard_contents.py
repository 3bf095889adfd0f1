"""Which recordings a shard of a dataset holds, and what of them gave no example, as its record says."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.dataset import SHARDS_FOLDER, Dataset
from avinst.errors import UserError
from avinst.json_values import check_types, read_json_object

_ADVICE = "run the same avinst prepare again"
_OF_A_REJECT = ("video_id", "segment", "reason", "detail")


@dataclasses.dataclass(frozen=True)
class ShardContents:
    """Of one shard.

    Attributes:
        segments_of_video: video id to number of examples, for every manifest row of the shard.
        rejects: what gave no example: `video_id`, `segment`, `reason`, `detail` and more.
    """

    segments_of_video: Mapping[str, int]
    rejects: tuple[Mapping[str, Any], ...]


def shard_contents(dataset: Dataset, name: str) -> ShardContents:
    """Reads a shard's record.

    Args:
        dataset: a finished dataset.
        name: the shard's, one of `dataset.shards`.

    Raises:
        UserError: the record is damaged.
    """
    file = paths.join(dataset.data_dir, SHARDS_FOLDER, f"{name}.json")
    values = read_json_object(file, _ADVICE)
    try:
        check_types(ShardContents, values)
        contents = ShardContents(values["segments_of_video"], tuple(values["rejects"]))
        missing = [key for reject in contents.rejects for key in _OF_A_REJECT if key not in reject]
        if missing:
            raise KeyError(missing[0])
    except KeyError as error:
        raise UserError(f"{file!r} is damaged (no {error}); {_ADVICE}") from error
    except TypeError as error:
        raise UserError(f"{file!r} is damaged ({error}); {_ADVICE}") from error
    return contents
