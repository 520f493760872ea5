"""A model of many series that scores one step after another, and can be kept and taken up again."""

from alerts.anomaly.detector.carried import Carried
from alerts.anomaly.detector.fitted import FittedModel, StepScores
from alerts.anomaly.detector.fitting import fit
from alerts.anomaly.detector.packing import unpacked
from alerts.anomaly.detector.settings import MODEL_VERSION


def unpack(packed: bytes) -> FittedModel:
    """Of `FittedModel.pack`. Raises `ValueError` for bytes of another version, or that are no model."""
    return FittedModel(*unpacked(packed))


__all__ = ["MODEL_VERSION", "Carried", "FittedModel", "StepScores", "fit", "unpack"]
