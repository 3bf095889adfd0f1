"""Which figures show the evidence of a whole split: of all labels, and of one."""

from collections.abc import Callable
from functools import partial

from matplotlib.figure import Figure

from analysis.maps.mean_maps_figures import bands_figure, mean_map_figure
from analysis.maps.trust_figures import faithfulness_figure, randomisation_figure, regions_figure
from analysis.study import Study

# Tag, file, description, and what draws the figure.
Sketch = tuple[str, str, str, Callable[[], Figure]]


def evidence_sketches(study: Study) -> list[Sketch]:
    """Those over all labels, as far as they would not be empty."""
    evidence, spec = study.evidence, study.dataset.spec
    sketches: list[Sketch] = []
    if any(means.bands is not None for means in evidence.means):
        text = "Share of the audio evidence in each mel band, for each label."
        sketches.append(("gradcam/bands", "gradcam/bands.png", text, partial(bands_figure, evidence.means, spec)))
    if evidence.regions:
        text = "Share of the frame maps' evidence on annotated regions, beside an even map and a centre prior."
        draw = partial(regions_figure, evidence.regions)
        sketches.append(("gradcam/regions", "gradcam/regions.png", text, draw))
    if evidence.trust is None:
        return sketches
    if evidence.trust.faithfulness:
        text = (
            "The label's probability as the input is removed or shown in the order of the maps, of random maps "
            "and of random pixels."
        )
        draw = partial(faithfulness_figure, evidence.trust.faithfulness)
        sketches.append(("gradcam/faithfulness", "gradcam/faithfulness.png", text, draw))
    if evidence.trust.randomisation:
        text = "Likeness of the maps before and after weights are shuffled, from the head downwards."
        draw = partial(randomisation_figure, evidence.trust.randomisation)
        sketches.append(("gradcam/randomisation", "gradcam/randomisation.png", text, draw))
    return sketches


def mean_map_sketches(study: Study, label: str, folder: str) -> list[Sketch]:
    """The label's mean maps, in its folder below `gradcam`; nothing where all its maps are dead."""
    return [
        (
            f"gradcam/{label}/mean",
            f"gradcam/{folder}/mean.png",
            f"Mean maps of the recordings of {label}: where the evidence for it lies, and in which mel bands.",
            partial(mean_map_figure, means, study.dataset.spec),
        )
        for means in study.evidence.means
        if means.label == label
    ]
