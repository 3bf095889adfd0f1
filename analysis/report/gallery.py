"""The galleries of the report: each segment's pictures side by side, enlarged on a click, with its sound."""

from collections.abc import Mapping, Sequence

from analysis.galleries import Choice
from analysis.pictures import Picture
from analysis.report.markup import Markup, element, joined
from analysis.report.pictures import figure
from analysis.sound_files import sound_uri
from analysis.sounds import Sound


def gallery(pictures: Sequence[Picture], sounds: Mapping[Choice, Sound]) -> Markup:
    """The segments of one label or group, in the order of their pictures.

    Args:
        pictures: all of them with the segment that they show; those of one segment form one figure.
        sounds: segment to its sound, as far as there is one.
    """
    by_choice: dict[Choice, list[Picture]] = {}
    for picture in pictures:
        if picture.exhibit is not None:
            by_choice.setdefault(picture.exhibit.choice, []).append(picture)
    return element(
        "div", *(_exhibit(shown, sounds.get(choice)) for choice, shown in by_choice.items()), class_="gallery"
    )


def _exhibit(pictures: Sequence[Picture], sound: Sound | None) -> Markup:
    exhibit = pictures[0].exhibit
    if exhibit is None:
        raise ValueError("a gallery shows segments; this picture shows none")
    choice = exhibit.choice
    predicted = ", ".join(choice.predicted) or "nothing"
    caption = (
        f"{choice.video_id}, from second {exhibit.start_seconds:g}: probability {choice.probability:.2f}, "
        f"predicted as {predicted}"
    )
    if exhibit.dead:
        caption += f"; no evidence anywhere in the {' and '.join(exhibit.dead)} map"
    return figure(pictures, "exhibit", _players(sound, choice.video_id), caption=caption)


def _players(sound: Sound | None, name: str) -> Markup:
    if sound is None:
        return Markup("")
    heard = "Resynthesised from the log-mel" if sound.resynthesised else "The recording's own second"
    players = [_player(heard, name, sound_uri(sound.waveform, sound.rate_hz))]
    if sound.kept is not None:
        players.append(_player("What the map keeps of it", name, sound_uri(sound.kept, sound.rate_hz)))
    return element("div", *players, class_="sounds")


def _player(what: str, name: str, uri: str) -> Markup:
    audio = element("audio", controls=True, preload="metadata", src=uri, aria_label=f"{what}: {name}")
    return joined(element("p", element("span", what), audio))
