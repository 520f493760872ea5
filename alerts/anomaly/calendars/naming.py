"""What a moment is called."""

from datetime import datetime

from alerts.anomaly.calendars.model import Calendars


def names_of(calendars: Calendars, moment: datetime, service: str = "") -> tuple[str, ...]:
    """Why a moment is not learnt from: `New Year's Day (DE)`, `deployment of checkout 9 min ago`; the longest first."""
    return ()
