"""What all parts of avinst share: the dataset's spec and schema, log-mel, frames, media, labels and manifests."""

__version__ = "0.1.0"
