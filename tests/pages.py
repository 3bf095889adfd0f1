"""What each page's command blocks presuppose, and what is appended to commands to make them quick."""

import json
import shutil
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from media_factory import tone, write_media

# Appended: of a flag that is given twice, the last one counts. For smallness alone.
SMALL: dict[str, tuple[str, ...]] = {
    "prepare": ("--frame_size=64", "--splits=stratified", "--shares=0.4,0.2,0.4"),
    "train": (
        "--epochs=1",
        "--fusion_epochs=1",
        "--batch_size=8",
        "--audio_backbone=small_cnn",
        "--visual_backbone=small_cnn",
    ),
    "analyze": ("--gradcam_per_label=1", "--permutations=20"),
}
# These are downloaded, and the small network has none; tests/trainer/test_models.py holds that they are loaded.
WITHOUT = {"--visual_weights=imagenet": "--visual_weights=none"}

INSTRUMENTS = {"drum": 150.0, "trumpet": 600.0, "violin": 2400.0}  # label to pitch in Hz
Maker = Callable[[Path], None]


class Page(NamedTuple):
    """How a page is run.

    Attributes:
        files: name in the page's folder to who makes it, or to (page, name): what that page's commands have left.
        apart: each block in a folder of its own, for each is a way to something else.
        not_again: a page with the same files; commands that it has are not run a second time.
    """

    files: Mapping[str, Maker | tuple[str, str]]
    apart: bool = False
    not_again: str = ""


def videos(folder: Path) -> None:
    """A folder a class, ten videos of 2 s each, which sound and colour tell apart."""
    generator = np.random.default_rng(0)
    for channel, (label, hz) in enumerate(INSTRUMENTS.items()):
        (folder / label).mkdir(parents=True)
        for number in range(10):
            _video(folder / label / f"{label}_{number:03d}.mp4", hz * generator.uniform(0.9, 1.1), channel, 2.1)


def clip(file: Path) -> None:
    """A violin of 2 s."""
    _video(file, INSTRUMENTS["violin"], 2, 2.1)


def long_clip(file: Path) -> None:
    """A violin of 46 s."""
    _video(file, INSTRUMENTS["violin"], 2, 46.0, fps=Fraction(2))


def _video(file: Path, hz: float, channel: int, seconds: float, fps: Fraction = Fraction(10)) -> None:
    def picture(number: int, _: float) -> np.ndarray:
        frame = np.full((48, 64, 3), 20, np.uint8)
        frame[8:40, 8 + number % 16 : 40 + number % 16, channel] = 220
        return frame

    write_media(file, seconds=seconds, size=(64, 48), fps=fps, picture=picture, sound=tone(hz, seconds))


def manifest(file: Path) -> None:
    """Of `videos`."""
    names = [f"{label}/{label}_{number:03d}.mp4,{label}" for label in INSTRUMENTS for number in range(10)]
    file.write_text("\n".join(["video_path,label", *names, ""]))


def _annotations(text: str) -> Maker:
    return lambda file: file.write_text(text) and None


def _empty(*names: str) -> Maker:
    """A folder with files by these names: `avinst manifest` looks for videos, it does not open them."""

    def make(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    return make


_AUDIOSET_HEAD = "# Segments csv\n# num_ytids=1\n# YTID, start_seconds, end_seconds, positive_labels\n"
# Each in its published syntax (tests/avinst/manifests/test_manifest_formats.py).
KNOWN_DATA_SETS: dict[str, Maker] = {
    "FCVID": _empty("violinPerformance/a.mp4", "celloPerformance/b.mp4", "violinPerformance/c.mp4"),
    "FCVID_VideoName_TrainTestSplit.txt": _annotations(
        "violinPerformance/a.mp4 train\ncelloPerformance/b.mp4 test\nviolinPerformance/c.mp4 train\n"
    ),
    "FCVID_Label.txt": _annotations("0 1\n1 0\n0 1\n"),
    "list.txt": _annotations("./violinPerformance/a,6\n./celloPerformance/b,10\n"),
    "MUSIC": _empty("x_y.mp4"),
    "MUSIC_solo_videos.json": _annotations(json.dumps({"videos": {"flute": ["x_y", "gone"]}})),
    "SOLOS": _empty("_W2VM3uinZA.mp4"),
    "solos_timestamps.json": _annotations(json.dumps({"Trombone": {"_W2VM3uinZA": [[18, 750]]}})),
    "VGGSOUND": _empty("---g-f_I2yQ_000001_000011.mp4", "-0p7hKXZ1ww_000070_000080.mp4"),
    "vggsound.csv": _annotations("---g-f_I2yQ,1,playing harp,test\n-0p7hKXZ1ww,70,playing cello,train\n"),
    "AUDIOSET": _empty("-0SdAVK79lg.mp4", "--4gqARaEJE.mp4"),
    "eval_segments.csv": _annotations(f'{_AUDIOSET_HEAD}-0SdAVK79lg, 30.500, 40.500, "/m/0342h"\n'),
    "balanced_train_segments.csv": _annotations(f'{_AUDIOSET_HEAD}--4gqARaEJE, 0.000, 10.000, "/m/0342h"\n'),
    "class_labels_indices.csv": _annotations('index,mid,display_name\n0,/m/0342h,"Guitar"\n'),
    "KINETICS": _empty("train/abcdefghijk_000010_000020.mp4"),
    "train.csv": _annotations(
        "label,youtube_id,time_start,time_end,split\nplaying harp,abcdefghijk,10,20,train\n"
    ),
    "validate.csv": _annotations(
        "label,youtube_id,time_start,time_end,split\nplaying harp,lost_one-12,0,10,val\n"
    ),
}

_MADE = {"VIDEOS": videos, "clip.mp4": clip}
_OF_README = {name: ("README.md", name) for name in ("VIDEOS", "clip.mp4", "manifest.csv", "DATASET", "RUN")}
_RUNS = {
    "DATASET": ("docs/tutorial.md", "DATASET"),
    "INDEPENDENT": ("docs/tutorial.md", "RUNS/independent"),
    "JOINT": ("docs/tutorial.md", "RUNS/joint"),
}
PAGES_THAT_RUN: dict[str, Page] = {
    "README.md": Page(_MADE),
    "docs/tutorial.md": Page({"VIDEOS": videos}),
    "docs/audit.md": Page(_RUNS),
    "docs/commands.md": Page(
        {
            **_OF_README,
            "SAVEDMODEL": ("README.md", "RUN/export/1"),
            "vggsound.csv": _annotations("violin_000,0,playing harp,test\n"),
        },
        apart=True,
        not_again="README.md",
    ),
    "docs/doctor.md": Page({}),
    "docs/evaluation.md": Page(_OF_README, not_again="README.md"),
    "docs/explain.md": Page({**_OF_README, "clip.mp4": long_clip}),
    "docs/how-to.md": Page({**_OF_README, "NEW_DATASET": ("README.md", "DATASET"), **KNOWN_DATA_SETS}, apart=True),
    "docs/maps.md": Page(_OF_README, not_again="README.md"),
    "docs/predict.md": Page(_OF_README),
    "docs/report.md": Page(
        {
            **{name: ("docs/tutorial.md", name) for name in ("VIDEOS", "DATASET")},
            "RUN": ("docs/tutorial.md", "RUNS/joint"),
            "OTHER_RUN": ("docs/tutorial.md", "RUNS/independent"),
        }
    ),
    "docs/security.md": Page({"UPLOADS": videos, "manifest.csv": manifest}),
    "docs/serving.md": Page({"clip.mp4": lambda file: _video(file, 440.0, 0, 5.0)}),
    "docs/supply-chain.md": Page({}),
}


def furnish(folder: Path, files: Mapping[str, Maker | tuple[str, str]], left_by: Callable[[str], Path]) -> None:
    """Puts there what a page presupposes.

    Args:
        folder: the page's, exists.
        files: as in `Page`.
        left_by: the name of a page to the folder in which its commands have run.
    """
    for name, source in files.items():
        if callable(source):
            source(folder / name)
        else:
            page, made = source
            path = left_by(page) / made
            (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / name)
