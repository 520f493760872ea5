"""What the pages about anomalies need from the process, beyond the console's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from alerts.anomaly.explaining.model import Explained
    from alerts.anomaly.model import AnomalyDetector

    Explain = Callable[[AnomalyDetector, Mapping[str, str], datetime], Explained | None]
    """Of a detector's series by its labels, the step that holds a moment; None where that cannot be told.

    It reads weeks of one series. Raises `Transient` and `Permanent`.
    """


class AnomaliesState(Protocol):
    """The detectors that are applied: those of the last good files. Safe to use from several threads."""

    def detectors(self) -> Sequence[AnomalyDetector]:
        """By name."""
        ...

    def explain(self, detector: AnomalyDetector, labels: Mapping[str, str], at: datetime) -> Explained | None:
        """Why a step is anomalous, or is not; None where that cannot be told here."""
        ...


@dataclass(frozen=True, slots=True)
class NoAnomalies:
    """An `AnomaliesState` without any."""

    def detectors(self) -> Sequence[AnomalyDetector]:
        """None."""
        return ()

    def explain(self, detector: AnomalyDetector, labels: Mapping[str, str], at: datetime) -> Explained | None:
        """Nothing."""
        del detector, labels, at
        return None


@dataclass(frozen=True, slots=True)
class DeclaredAnomalies:
    """An `AnomaliesState` of what files declare; without `explaining` pages show what Prometheus knows."""

    declared: Callable[[], Sequence[AnomalyDetector]]
    explaining: Explain | None = None

    def detectors(self) -> Sequence[AnomalyDetector]:
        """By name."""
        return self.declared()

    def explain(self, detector: AnomalyDetector, labels: Mapping[str, str], at: datetime) -> Explained | None:
        """Why a step is anomalous, or is not."""
        return None if self.explaining is None else self.explaining(detector, labels, at)
