"""What all parts of avinst share: the dataset's spec and schema, log-mel, frames, media, labels and manifests."""

from typing import TYPE_CHECKING

from avinst.public_names import lazy_names

__version__ = "0.1.0"

if TYPE_CHECKING:
    from avinst.contact_sheet import choose_examples as choose_examples
    from avinst.contact_sheet import draw_contact_sheet as draw_contact_sheet
    from avinst.dataset import Dataset as Dataset
    from avinst.dataset import load_dataset as load_dataset
    from avinst.errors import UserError as UserError
    from avinst.inspection import describe as describe
    from avinst.manifests.from_media import make_manifest as make_manifest
    from avinst.manifests.rows import ManifestRow as ManifestRow
    from avinst.manifests.rows import read_manifest as read_manifest
    from avinst.manifests.writing import write_manifest as write_manifest
    from avinst.media.types import DecodeLimits as DecodeLimits
    from avinst.progress import show_progress as show_progress
    from avinst.recording import Recording as Recording
    from avinst.recording import load_recording as load_recording
    from avinst.recording import recording_ids as recording_ids
    from avinst.spec import DatasetSpec as DatasetSpec
    from avinst.synthesis.performances import render_performances as render_performances
else:  # unseen by type checkers, to which a __getattr__ would mean that any name is there
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        light={
            "avinst.dataset": ["Dataset", "load_dataset"],
            "avinst.errors": ["UserError"],
            "avinst.inspection": ["describe"],
            "avinst.manifests.from_media": ["make_manifest"],
            "avinst.manifests.rows": ["ManifestRow", "read_manifest"],
            "avinst.manifests.writing": ["write_manifest"],
            "avinst.media.types": ["DecodeLimits"],
            "avinst.synthesis.performances": ["render_performances"],
            "avinst.progress": ["show_progress"],
            "avinst.spec": ["DatasetSpec"],
        },
        with_tensorflow={
            "avinst.contact_sheet": ["choose_examples", "draw_contact_sheet"],
            "avinst.recording": ["Recording", "load_recording", "recording_ids"],
        },
    )
