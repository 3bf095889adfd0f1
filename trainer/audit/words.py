"""What an audit says in words: which modality leads, whether fusion helps, what joint training did."""

from avinst.counting import counted, percent
from trainer.audit.measures import Difference, Interval
from trainer.audit.result import FEWEST_RECORDINGS, SIGNIFICANCE, SMALLEST_DIFFERENCE, Audit

_NOUNS = {"audio": "audio", "visual": "vision"}
_OTHER = {"audio": "visual", "visual": "audio"}


def audit_verdict(audit: Audit) -> list[str]:
    """The findings, the main one first; each a sentence or two of plain text.

    Args:
        audit: as `trainer.audit_run` or `trainer.evaluate_run` give it.
    """
    sentences = [
        _leading(audit),
        _fusion(audit),
        _product(audit),
        _limit(audit),
        _reliance(audit),
        _contradiction(audit),
    ]
    if audit.scheme == "joint":
        sentences.append(_encoders(audit))
    sentences.append(_caveats(audit))
    return [sentence for sentence in sentences if sentence]


def _leading(audit: Audit) -> str:
    """Which modality does the work."""
    if not audit.better:
        return "Which modality leads cannot be told: there are neither stages nor probes to ask."
    best = audit.better
    worse = _OTHER[best]
    values = (
        f"{_noun(best)} alone reaches {audit.metric_title} {_interval(_alone(audit, best))}, {_noun(worse)} alone "
        f"{_interval(_alone(audit, worse))}; {_by_chance(audit)}"
    )
    if audit.recordings < FEWEST_RECORDINGS:
        return f"Too few recordings ({audit.recordings}) to tell which modality leads: {values}."
    beyond = {modality: audit.judge(f"{modality}_minus_chance") == "more" for modality in _NOUNS}
    if not any(beyond.values()):
        if audit.judge("fused_minus_better") == audit.judge("fused_minus_chance") == "more":
            fused = _interval(audit.scores["fused"])
            return f"Only audio and vision together decide: fused they reach {fused}, but {values}."
        return f"Neither modality alone is told from chance: {values}."
    lead = audit.judge("audio_minus_visual")
    difference = audit.differences["audio_minus_visual"]
    if best == "visual":
        difference = Difference(-difference.value, -difference.high, -difference.low, difference.p_value)
    if lead == "none":
        return f"Neither modality leads: {values}; the difference is {_signed(difference)}."
    if lead == "unknown":
        return (
            f"Too few recordings to tell which modality leads: {values}; the difference is {_signed(difference)}."
        )
    if not beyond[worse]:
        return f"Only {_noun(best)} carries the label, as far as {audit.recordings} recordings tell: {values}."
    return f"{_noun(best).capitalize()} leads by {_signed(difference)}: {values}."


def _fusion(audit: Audit) -> str:
    """Whether the fused model is better than the better modality alone."""
    if not audit.better:
        return ""
    judged = audit.judge("fused_minus_better")
    alone = f"{_noun(audit.better)} alone"
    opening = {
        "more": f"Fusion helps against {alone}",
        "less": f"Fusion harms: it is worse than {alone}",
        "none": f"Fusion makes no difference of {SMALLEST_DIFFERENCE} or more against {alone}",
        "unknown": f"Too few recordings to tell whether fusion helps against {alone}",
    }[judged]
    gains, losses = len(audit.gains), len(audit.losses)
    gained, lost = counted(gains, "recording"), counted(losses, "recording")
    changed = f"It gains {gained} and loses {lost} (exact McNemar p = {audit.mcnemar_p:.2g})."
    if audit.metric == "map":
        # Which recording is gained cannot be said in mAP, which orders all recordings by each label.
        changed = (
            f"In Hit@1 it gains {gained}, where its most probable label is a true one and that of {alone} is not, "
            f"and loses {lost} (exact McNemar p = {audit.mcnemar_p:.2g})."
        )
    return (
        f"{opening}: the fused model reaches {_interval(audit.scores['fused'])}, a difference of "
        f"{_signed(audit.differences['fused_minus_better'])}. {changed}"
    )


def _product(audit: Audit) -> str:
    """Whether the fused model is better than multiplying two models' probabilities."""
    if "product" not in audit.scores:
        return ""
    opening = {
        "more": "It beats the plain product of the two models' probabilities",
        "less": "The plain product of the two models' probabilities does better",
        "none": f"It is within {SMALLEST_DIFFERENCE} of the plain product of the two models' probabilities",
        "unknown": "Too few recordings to tell it from the plain product of the two models' probabilities",
    }[audit.judge("fused_minus_product")]
    return (
        f"{opening}, which reaches {_interval(audit.scores['product'])}: "
        f"{_signed(audit.differences['fused_minus_product'])}."
    )


def _limit(audit: Audit) -> str:
    """What fusion could at most gain from choosing between the modalities, and what it makes of that."""
    if not audit.alone_right:
        return ""
    total = sum(group["recordings"] for group in audit.alone_right.values())
    one = {
        key: audit.alone_right["audio"][key] + audit.alone_right["visual"][key] for key in ("recordings", "fused")
    }
    neither = audit.alone_right["neither"]
    reach = total - neither["recordings"]
    if audit.metric == "map":
        return (
            f"By audio or vision alone the most probable label is a true one on {reach} of {total} recordings "
            f"(Hit@1 {reach / total:.3f}: the most that choosing between the two could reach). Where that is "
            f"so by only one of them ({one['recordings']}) the fused model's is a true one on {one['fused']}, "
            f"where by neither ({neither['recordings']}) on {neither['fused']}."
        )
    return (
        f"Audio or vision alone is right on {reach} of {total} recordings ({reach / total:.3f}: the most that "
        "choosing between the two could reach). Where only one of them is right "
        f"({one['recordings']}) the fused model is right on {one['fused']}, where neither is "
        f"({neither['recordings']}) on {neither['fused']}."
    )


def _reliance(audit: Audit) -> str:
    """What is left of the fused model without one modality."""
    left = [f"{audit.scores[f'{name}_blanked'].value:.3f} without {noun}" for name, noun in _NOUNS.items()]
    return f"With one modality blanked the fused model is left with {audit.metric_title} {' and '.join(left)}."


def _contradiction(audit: Audit) -> str:
    """Whom the fused model believes."""
    if not audit.follows:
        return ""
    shares = {name: percent(found.value) for name, found in audit.follows.items()}
    few = audit.swapped_recordings < audit.recordings
    where = f" ({audit.swapped_recordings} of {audit.recordings})" if few else ""
    return (
        f"Where audio and vision come of recordings with different labels{where} it follows audio in "
        f"{shares['audio']}, vision in {shares['visual']} and neither in {shares['neither']}."
    )


def _encoders(audit: Audit) -> str:
    """Whether joint training left one encoder weaker than training it alone did."""
    names = {modality: f"{modality}_probe_minus_stage_probe" for modality in _NOUNS}
    if not all(name in audit.differences for name in names.values()):
        reason = audit.absent.get("audio_stage_probe", "no probes")
        return f"Whether joint training left an encoder weaker than training it alone is not known: {reason}."
    words = {"less": "weaker", "more": "stronger", "none": "as good", "unknown": "too few recordings to tell"}
    parts = [
        f"{modality} encoder: {words[audit.judge(name)]}, {_signed(audit.differences[name])}"
        for modality, name in names.items()
    ]
    return f"Joint training against training alone, by linear probes in {audit.metric_title}; {'; '.join(parts)}."


def _caveats(audit: Audit) -> str:
    """What to keep in mind."""
    found = []
    if audit.recordings < FEWEST_RECORDINGS:
        found.append(f"With fewer than {FEWEST_RECORDINGS} recordings no interval can be relied on.")
    if audit.split != "test":
        known = "was trained on" if audit.split == "train" else "was chosen on"
        found.append(f"The run {known} the {audit.split} split: this says little about other recordings.")
    if audit.better and audit.single[audit.better].endswith("_probe"):
        found.append('"Alone" means by a linear probe on the fused run\'s own features here: there are no stages.')
    return " ".join(found)


def _alone(audit: Audit, modality: str) -> Interval:
    return audit.scores[audit.single[modality]]


def _noun(modality: str) -> str:
    return _NOUNS[modality]


def _by_chance(audit: Audit) -> str:
    return f"chance is {audit.scores['chance'].value:.3f}"


def _interval(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _signed(found: Difference) -> str:
    text = f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}"
    # Why nothing is made of an interval that leaves 0 out: with few differing recordings the exact test decides.
    contradicted = found.p_value is not None and found.p_value > SIGNIFICANCE
    if contradicted and (found.low > 0 or found.high < 0):
        text += f"; exact p = {found.p_value:.2g}"
    return f"{text})"
