"""What the checks of the maps say, in words."""

from collections.abc import Sequence

from analysis.faithfulness import Faithfulness
from analysis.randomisation import Randomisation
from analysis.segment_maps import DeadCount
from analysis.trust import Trust
from trainer.audit_measures import Interval

_NAMES = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}
_LONGEST_LIST = 5


def trust_sentences(trust: Trust) -> list[str]:
    """A sentence or two for each modality, then whether the maps are tf-keras-vis' own."""
    sentences = []
    for modality, dead in trust.dead.items():
        measures = [one for one in trust.faithfulness if one.modality == modality]
        if measures:
            sentences.append(_against_random(modality, measures))
        else:
            sentences.append(
                f"The {modality} maps could not be tested: {dead} of {trust.recordings} show no evidence."
            )
    sentences += [_against_shuffled(found) for found in trust.randomisation]
    return sentences


def dead_sentences(counts: Sequence[DeadCount]) -> list[str]:
    """For each modality how many maps show no evidence for the true label, and where they are; none: nothing."""
    sentences = []
    for modality in dict.fromkeys(count.modality for count in counts):
        of_modality = [count for count in counts if count.modality == modality]
        dead = [count for count in of_modality if count.dead_segments]
        if not dead:
            continue
        number = sum(count.dead_segments for count in dead)
        total = sum(count.segments for count in of_modality)
        where = ", ".join(f"{count.label} {count.dead_segments} of {count.segments}" for count in dead)
        shows = "shows" if number == 1 else "show"
        sentence = f"{number} of {total} {modality} maps {shows} no evidence for the true label anywhere ({where})"
        whole = [name for count in dead for name in count.dead_recordings]
        if whole:
            more = f" and {len(whole) - _LONGEST_LIST} more" if len(whole) > _LONGEST_LIST else ""
            sentence += f"; in no segment of {', '.join(whole[:_LONGEST_LIST])}{more}"
        sentences.append(f"{sentence}.")
    return sentences


def judged(gain: Interval) -> str:
    """`beat`, `lose to` or `equal`: random maps, by the interval of the gain."""
    if gain.low > 0:
        return "beat"
    return "lose to" if gain.high < 0 else "equal"


def _against_random(modality: str, measures: Sequence[Faithfulness]) -> str:
    gains = {_NAMES[one.measure]: one.gain["random_map"] for one in measures}
    parts = []
    for verdict, text in (
        ("beat", "beat random maps in {}"),
        ("equal", "are not told from random maps in {}"),
        ("lose to", "are worse than random maps in {}"),
    ):
        named = [
            f"{name} ({gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}])"
            for name, gain in gains.items()
            if judged(gain) == verdict
        ]
        if named:
            parts.append(text.format(" and ".join(named)))
    return f"The {modality} maps {'; they '.join(parts)}; {measures[0].recordings} recordings."


def _against_shuffled(found: Randomisation) -> str:
    last = found.stages[-1]
    value, low, high = found.correlation[last]
    says = "depend on what was learned" if found.depends_on_weights else "hardly depend on what was learned"
    return (
        f"The {found.modality} maps {says}: with shuffled weights ({last}) the rank correlation with the maps "
        f"before is {value:.2f} [{low:.2f}, {high:.2f}]; that of different recordings' maps is "
        f"{found.between_recordings:.2f}."
    )
