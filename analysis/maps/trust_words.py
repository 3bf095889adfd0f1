"""What the checks of the maps say, in words."""

from collections.abc import Sequence
from typing import Literal

from analysis.maps.faithfulness import Faithfulness
from analysis.maps.randomisation import MOST_ALIKE, Randomisation
from analysis.maps.segment_maps import DeadCount
from analysis.maps.trust import Trust
from avinst.counting import counted
from trainer.audit.measures import Interval
from trainer.audit.result import FEWEST_RECORDINGS

# What maps are compared with, as it is called.
BASELINES = {"random_map": "random maps", "random_pixels": "random pixels"}
_NAMES = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}
_VERBS = {"beat": "beat", "equal": "are not told from", "lose to": "are worse than"}
_LONGEST_LIST = 5
# Of the largest value: float32 gives 1e-5 and less. Both ways round at every layer in half precision, each in its
# own order: the worst of the runs on real clips was 0.084.
_SAME, _HALF_PRECISION = 1e-4, 0.2


def trust_sentences(trust: Trust) -> list[str]:
    """Of each modality the maps against random ones, then whether they depend on what was learned."""
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


def reference_sentence(trust: Trust) -> str:
    """How far the maps are from those of tf-keras-vis; none where it cannot make them."""
    found = trust.difference_to_tf_keras_vis
    if found is None:
        return ""
    if found < _SAME:
        return f"tf-keras-vis makes the same maps of some of these segments (within {found:.0e} of the largest)."
    if trust.precision != "float32" and found < _HALF_PRECISION:
        return (
            f"On some of these segments the maps agree with those of tf-keras-vis within {found:.2g} of the "
            f"largest value, as far as {trust.precision} arithmetic goes."
        )
    return (
        f"Warning: on some of these segments the maps differ from those of tf-keras-vis by {found:.2g} of the "
        f"largest value, more than {trust.precision} arithmetic explains."
    )


def judged(gain: Interval, recordings: int) -> Literal["beat", "equal", "lose to", "few"]:
    """What the interval of the gain says against a baseline; `few`: of so few recordings it says nothing.

    Of a handful of recordings a bootstrap is far surer than it should be: where there is nothing to find, its 95 %
    interval leaves out 0 for half of all pairs, for every sixth five.
    """
    if recordings < FEWEST_RECORDINGS:
        return "few"
    if gain.low > 0:
        return "beat"
    return "lose to" if gain.high < 0 else "equal"


def too_few(recordings: int) -> str:
    """Why there is no verdict."""
    return f"too few recordings ({recordings}) to tell"


def _against_random(modality: str, measures: Sequence[Faithfulness]) -> str:
    """The verdict, then one part for all measures with the same verdicts over both baselines, then the values."""
    recordings = measures[0].recordings
    if recordings < FEWEST_RECORDINGS:
        return (
            f"There are {too_few(recordings)} whether the {modality} maps beat {' and '.join(BASELINES.values())}."
        )
    named: dict[str, list[str]] = {}
    found = {one.measure: [judged(one.gain[name], recordings) for name in BASELINES] for one in measures}
    for one in measures:
        (maps, first), (pixels, second) = (
            (text, _VERBS[verdict]) for text, verdict in zip(BASELINES.values(), found[one.measure], strict=True)
        )
        says = f"{first} {maps} {'and' if first == second else f'but {second}'} {pixels}"
        named.setdefault(says, []).append(_NAMES[one.measure])
    parts = "; they ".join(f"{says} in {_listed(names)}" for says, names in named.items())
    values = "; ".join(f"{_NAMES[one.measure]} {_gains(one)}" for one in measures)
    return (
        f"The {modality} maps {_verdict(list(found.values()))}: they {parts}. Gains over "
        f"{counted(recordings, 'recording')}: {values}."
    )


def _gains(one: Faithfulness) -> str:
    return ", ".join(f"{signed(one.gain[name])} over {text}" for name, text in BASELINES.items())


def _verdict(judgements: Sequence[Sequence[str]]) -> str:
    """What the judgements over random maps and over random pixels, a pair for each measure, come to."""
    if all(judgement == "beat" for pair in judgements for judgement in pair):
        return "show what matters to the network"
    if any(over_maps == "beat" for over_maps, _ in judgements):
        return "show what matters to the network only in part"
    return "are not shown to be better than chance"


def _listed(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def _against_shuffled(found: Randomisation) -> str:
    last = found.stages[-1]
    maps = f"the {found.modality} maps depend on what was learned"
    if found.recordings < FEWEST_RECORDINGS:
        return f"There are {too_few(found.recordings)} whether {maps}."
    dead = found.dead[last]
    correlation = found.correlation[last]
    if correlation is None or found.alive < FEWEST_RECORDINGS:
        return (
            f"It is not told whether {maps}: with shuffled weights ({last}) the network gives no map on {dead} of "
            f"{found.recordings} recordings."
        )
    value, low, high = correlation
    says, side = {
        "depend": (f"The{maps[3:]}", "not above"),
        "hardly depend": (f"The {found.modality} maps hardly depend on what was learned", "above"),
        "not told": (f"It is not told whether {maps}", "on both sides of"),
    }[found.verdict]
    over = ""
    if dead:
        over = f", over {counted(found.alive, 'recording')}; on {dead} more the shuffled network gives no map"
    return (
        f"{says}: with shuffled weights ({last}) the rank correlation with the maps before is {value:.2f} "
        f"[{low:.2f}, {high:.2f}], {side} {MOST_ALIKE:g}{over}. That of different recordings' maps is "
        f"{found.between_recordings:.2f}."
    )


def signed(gain: Interval) -> str:
    """A gain with its interval."""
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
