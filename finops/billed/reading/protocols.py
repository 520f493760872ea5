"""Buckets that are read, by the protocol of their URLs."""

from collections.abc import Mapping
from typing import Final

PROTOCOLS: Final[Mapping[str, str]] = {
    "s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "abfs", "abfs": "abfs", "abfss": "abfs",
}  # fmt: skip
"""What fsspec calls them."""
