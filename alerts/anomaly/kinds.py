"""The kind of documents that say which series are watched for what is unusual."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

ANOMALY_DETECTOR: Final = Kind(
    API_VERSION, "AnomalyDetector", ModelAt("alerts.anomaly.spec", "AnomalyDetectorDocument")
)
KINDS: Final[tuple[Kind, ...]] = (ANOMALY_DETECTOR,)
