"""AnomalyDetector documents as detectors, and everything that is wrong with them."""

from collections.abc import Sequence

from alerts.anomaly.model import AnomalyDetector
from controlplane.specfile import Declared, Document


def declared(documents: Sequence[Document]) -> Declared[AnomalyDetector]:
    """The detectors that these documents declare, by name. One with a mistake is left out; its problems are told."""
    return Declared()
