"""The report's section on the maps as a whole: where the evidence lies, and whether the maps are to be trusted."""

from collections.abc import Mapping, Sequence

from analysis.maps.evidence import Evidence
from analysis.maps.faithfulness import RANKINGS, Faithfulness
from analysis.maps.trust import Trust
from analysis.maps.trust_words import BASELINES, judged, reference_sentence, too_few
from analysis.pictures import Picture
from analysis.report.markup import Markup, element, joined, paragraph, table
from analysis.report.pictures import figure

_MEASURES = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}
_VERDICTS = {"beat": "better", "equal": "not told apart", "lose to": "worse"}


def evidence_section(evidence: Evidence, by_tag: Mapping[str, Sequence[Picture]]) -> Markup:
    """Words, figures and tables over all labels; those of single labels stand in the labels' sections.

    Args:
        evidence: of the whole split.
        by_tag: figures by their tags.
    """
    parts = [paragraph(sentence) for sentence in evidence.sentences()]
    for tag in ("gradcam/bands", "gradcam/regions", "gradcam/faithfulness"):
        parts += _shown(by_tag, tag)
    if evidence.trust is None:
        parts.append(paragraph("The maps were not checked (--trust_recordings=0, or fewer than two recordings)."))
        return joined(*parts)
    if evidence.trust.faithfulness:
        parts.append(_faithfulness_table(evidence.trust))
    parts += _shown(by_tag, "gradcam/randomisation")
    parts.append(paragraph(reference_sentence(evidence.trust), "note"))
    return joined(*parts)


def _shown(by_tag: Mapping[str, Sequence[Picture]], tag: str) -> list[Markup]:
    return [figure(by_tag[tag], "overview")] if tag in by_tag else []


def _faithfulness_table(trust: Trust) -> Markup:
    rows = [
        [
            one.modality,
            _MEASURES[one.measure],
            *(f"{one.areas[name]:.3f}" for name in RANKINGS),
            *(_gain(one, name) for name in BASELINES),
        ]
        for one in trust.faithfulness
    ]
    columns = ["", "", "the maps", *BASELINES.values(), *(f"gain over {text}" for text in BASELINES.values())]
    return table(columns, rows, "Area under the curve of the label's probability", "numbers")


def _gain(one: Faithfulness, baseline: str) -> Markup:
    """The gain, and smaller its interval and whether the maps are better."""
    gain = one.gain[baseline]
    verdict = _VERDICTS.get(judged(gain, one.recordings), too_few(one.recordings))
    return joined(f"{gain.value:+.3f} ", element("small", f"[{gain.low:+.3f}, {gain.high:+.3f}] {verdict}"))
