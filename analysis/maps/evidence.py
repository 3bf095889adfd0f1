"""All that is found out about where the evidence lies, beyond the segments that are shown."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from analysis.extraction import SplitBatches
from analysis.features import Features
from analysis.json_files import write_json
from analysis.maps.gradcam import METHOD_NAMES, EvidenceMaps
from analysis.maps.mean_maps import MeanMaps, bands_csv, mean_maps
from analysis.maps.region_boxes import Box, check_annotated, read_regions
from analysis.maps.regions import RegionShare, region_sentence, region_shares
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
    """

    maps: SegmentMaps
    dead: tuple[DeadCount, ...]
    means: tuple[MeanMaps, ...]
    regions: tuple[RegionShare, ...]
    trust: Trust | None

    def sentences(self) -> list[str]:
        """The findings in words."""
        found = [region_sentence(self.regions[0])] if self.regions else []
        if self.trust is not None:
            found += trust_sentences(self.trust)
        return [*found, *dead_sentences(self.dead)]


def annotated_boxes(settings: EvidenceSettings, recordings: Features) -> Mapping[str, list[Box]]:
    """The boxes of the settings' file; none without a file.

    Raises:
        UserError: the file is none, or has no box for any of the recordings.
    """
    if not settings.regions:
        return {}
    boxes = read_regions(settings.regions)
    check_annotated(boxes, recordings.video_id.tolist(), settings.regions)
    return boxes


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
