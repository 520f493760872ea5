"""Days and deployments that are scored but not learnt from: when they are, and what they are called."""

from alerts.anomaly.calendars.model import Calendars, DeploymentTime, SpecialDay
from alerts.anomaly.calendars.reading import calendars_of

__all__ = ["Calendars", "DeploymentTime", "SpecialDay", "calendars_of"]
