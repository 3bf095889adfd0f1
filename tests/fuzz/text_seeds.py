"""Good texts to begin from, for each reader of `text_readers`."""

import json

from text_readers import BETWEEN_FILES, READERS, SPEC_JSON

REJECT = {"video_id": "b", "path": "b.mp4", "segment": None, "stage": "open", "reason": "too_large", "detail": "d"}
RECORD = {
    "name": "train-00000-of-00001",
    "fingerprint": "print",
    "segments_of_video": {"a": 2, "b": 0},
    "media_bytes": {"a": 5, "b": -1},
    "rejects": [REJECT],
    "limits": {"max_pixels": 7},
    "versions": {"av": "18"},
}
COUNTS = {"train": 2, "validation": 0, "test": 0}
DATASET = {
    "format_version": 1,
    "spec": json.loads(SPEC_JSON),
    "labels": ["a", "b"],
    "multi_label": False,
    "shards": {"train": ["train-00000-of-00001"], "validation": [], "test": []},
    "recordings": COUNTS,
    "segments": COUNTS,
    "label_segments": {"train": {"a": 1, "b": 1}, "validation": {}, "test": {}},
    "rejects": 1,
    "log_mel_mean_db": -31.5,
    "log_mel_std_db": 20.25,
    "fingerprint": "print",
    "versions": {"av": "18"},
}
EXAMPLES = {
    "tfrecord_bytes": 2,
    "label_segments": {"a": 2},
    "log_mel_count": 9,
    "log_mel_sum_db": -3.5,
    "log_mel_square_sum": 9.0,
}

# Several of a reader stand one after the other.
SEEDS: dict[str, list[str]] = {
    "manifest": [
        'video_path,label\nv/a.mp4,violin\nb.mp4,"cello|flute"\n',
        "video_path,label,video_id,split,start_seconds,end_seconds,group\na.mp4,x,i,train,1.5,4,g\na.mp4,x,j,,4,inf,g\n",
    ],
    "manifest_jsonl": [
        '{"video_path": "a.mp4", "label": ["a", "b"], "end_seconds": 2}\n{"video_path":"b","label":"c|d"}'
    ],
    "manifest_unlabelled": ["video_path,group\na.mp4,g\n"],
    "icmr2017": ["./violinPerformance/_iiwx8skEBs,6\n./fluteP/b,2\n"],
    "fcvid": [
        BETWEEN_FILES.decode().join(["v/a.mp4 train\nf/b.mp4 test\n", "1 0\n0 1\n"]),
        BETWEEN_FILES.decode().join(["v/a b.mp4 train\nf/b.mp4 test\n", "1 1\n0 1\n", "violin\nflute\n"]),
    ],
    "music": ['{"videos": {"flute": ["abcdefghijk"], "saxophone acoustic_guitar": ["b"]}}'],
    "solos": ['{"Trombone": {"_W2VM3uinZA": [[18, 750], [760, 2028]]}}'],
    "vggsound": ['---g-f_I2yQ,1,people marching,test\nb,2,"a, b",train\n'],
    "audioset": [
        '# a\n--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n',
        BETWEEN_FILES.decode().join(
            ['b, 0, 10, "/m/1"\n', 'index,mid,display_name\n0,/m/1,"Speech, x"\n', 'c, 1, 2, "/m/1"\n']
        ),
    ],
    "kinetics": ["label,youtube_id,time_start,time_end,split\nplaying flute,abcdefghijk,10,20,train\n"],
    "regions": ["video_id,left,top,right,bottom,seconds\na,0,0.1,0.5,1,\nb,0,0,1,1,2.5\n"],
    "dataset": [json.dumps(DATASET)],
    "examples_record": [json.dumps({**RECORD, **EXAMPLES})],
    "predictions_record": [json.dumps({**RECORD, "files": {"train-00000-of-00001.tfrecord": 2}})],
    "spec": [SPEC_JSON],
    "labels": ["violin\ncello\n"],
    "facts": ['{"multi_label": true}'],
}
# What a reader stumbles over, none of it likely to be found by chance.
ODD = [
    "\ufeff",
    "\0",
    "\x85",
    "\u2028",
    "\x1b[2J",
    '"',
    "1e999",
    "nan",
    "-0",
    "9" * 4400,
    "[" * 3000,
    "../",
    "/",
    "null",
]


def seeds_of(reader: str) -> list[bytes]:
    """The good texts of a reader, each followed by all with one odd thing in the middle."""
    texts = SEEDS[reader]
    return [
        text.encode()
        for text in [
            *texts,
            *(text[: len(text) // 2] + odd + text[len(text) // 2 :] for text in texts for odd in ODD),
        ]
    ]


assert set(SEEDS) == set(READERS)
