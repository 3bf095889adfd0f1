"""All that is found out about where the evidence lies, beyond the segments that are shown."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from analysis.extraction import SplitBatches
from analysis.features import Features
from analysis.json_files import write_json
from analysis.maps.gradcam import METHOD_NAMES, EvidenceMaps
from analysis.maps.mean_maps import MeanMaps, bands_csv, mean_maps
from analysis.maps.region_boxes import Box, check_annotated, check_in_segments, read_regions
from analysis.maps.regions import NO_EVIDENCE, RegionShare, region_sentence, region_shares
from analysis.maps.segment_maps import DeadCount, SegmentMaps, count_dead, save_segment_maps, segment_maps
from analysis.maps.trust import Trust, examine, trust_json
from analysis.maps.trust_words import dead_sentences, trust_sentences
from avinst import paths
from avinst.dataset import Dataset


@dataclasses.dataclass(frozen=True)
class EvidenceSettings:
    """What is computed of the maps.

    Attributes:
        trust_recordings: recordings on which the maps are checked; 0: none.
        regions: CSV of boxes that the frame maps should lie on; empty: none.
    """

    trust_recordings: int = 32
    regions: str = ""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the maps of a whole split say.

    Attributes:
        maps: of every segment, for its true labels.
        dead: how many of them show nothing, by modality and label.
        means: each label's mean maps.
        regions: share of the frame maps on annotated boxes, over all recordings and for each label; empty
            without boxes or frames.
        trust: the checks of the maps; None where there were none.
        dead_regions: whether boxes were given, and no frame map of their segments shows evidence.
    """

    maps: SegmentMaps
    dead: tuple[DeadCount, ...]
    means: tuple[MeanMaps, ...]
    regions: tuple[RegionShare, ...]
    trust: Trust | None
    dead_regions: bool = False

    def sentences(self) -> list[str]:
        """The findings in words."""
        found = [NO_EVIDENCE] if self.dead_regions else []
        if self.regions:
            found.append(region_sentence(self.regions[0]))
        if self.trust is not None:
            found += trust_sentences(self.trust)
        return [*found, *dead_sentences(self.dead)]


def annotated_boxes(
    settings: EvidenceSettings, recordings: Features, batches: SplitBatches, dataset: Dataset, split: str
) -> Mapping[str, list[Box]]:
    """The boxes of the settings' file; none without a file.

    Args:
        settings: name the file.
        recordings: the analyzed ones.
        batches: gives those of their segments, which are read as far as the first one with a box.
        dataset: gives the length of a segment.
        split: the analyzed one.

    Raises:
        UserError: the file is none, or has no box for any of the recordings, or for any of their segments.
    """
    if not settings.regions:
        return {}
    boxes = read_regions(settings.regions)
    check_annotated(boxes, recordings.video_id.tolist(), settings.regions)
    check_in_segments(boxes, _places(batches(split)), dataset.spec.segment_seconds, settings.regions)
    return boxes


def _places(batches: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Recording and start of each segment."""
    for batch in batches:
        names = [name.decode() for name in np.asarray(batch["video_id"])]
        yield from zip(names, np.asarray(batch["segment_start_seconds"]).tolist(), strict=True)


def gather_evidence(
    evidence_maps: EvidenceMaps,
    batches: SplitBatches,
    dataset: Dataset,
    split: str,
    segments: Features,
    recordings: Features,
    boxes: Mapping[str, list[Box]],
    settings: EvidenceSettings,
    *,
    batch_size: int,
    seed: int,
    say: Callable[[str], None],
) -> Evidence:
    """Computes it.

    Args:
        evidence_maps: of the model.
        batches: gives the batches of a split.
        dataset: its spec, labels and mean level.
        split: the analyzed one.
        segments: its features.
        recordings: the same by recording.
        boxes: of the recordings, by `annotated_boxes`.
        settings: what is computed.
        batch_size: segments at once.
        seed: of all that is random.
        say: is told what is being done.
    """
    say(f"{METHOD_NAMES[evidence_maps.method]} of all {len(segments)} segments")
    maps = segment_maps(evidence_maps, batches(split), dataset.labels, len(segments))
    regions: Sequence[RegionShare] = ()
    if "visual" in maps.maps:
        regions = region_shares(maps, boxes, dataset.spec, seed)
    trust = None
    if settings.trust_recordings:
        trust = examine(
            evidence_maps,
            batches(split),
            segments,
            recordings,
            most_recordings=settings.trust_recordings,
            log_mel_mean_db=dataset.log_mel_mean_db,
            batch_size=batch_size,
            seed=seed,
            say=say,
        )
    return Evidence(
        maps=maps,
        dead=tuple(count_dead(maps)),
        means=tuple(mean_maps(maps, dataset.spec, seed)),
        regions=tuple(regions),
        trust=trust,
        dead_regions="visual" in maps.maps and bool(boxes) and not regions,
    )


def write_evidence(evidence: Evidence, dataset: Dataset, folder: str) -> None:
    """Writes `maps.npz`, `dead_maps.json`, and what there is of `bands.csv`, `regions.json`, `trust.json`."""
    save_segment_maps(evidence.maps, paths.join(folder, "maps.npz"))
    write_json([dataclasses.asdict(count) for count in evidence.dead], paths.join(folder, "dead_maps.json"))
    if any(means.bands is not None for means in evidence.means):
        paths.write_text(paths.join(folder, "bands.csv"), bands_csv(evidence.means, dataset.spec))
    if evidence.regions:
        rows = [
            {name: value._asdict() if hasattr(value, "_asdict") else value for name, value in vars(found).items()}
            for found in evidence.regions
        ]
        write_json(rows, paths.join(folder, "regions.json"))
    if evidence.trust is not None:
        write_json(trust_json(evidence.trust), paths.join(folder, "trust.json"))
