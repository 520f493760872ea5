"""What stands behind a percentage: sums by status, and what was left out. Pure counting of the snapshot's days."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal

from controlplane.model.public_status import ComponentStatus, PublicIncident, StatusSpan, Uptime, UptimeDay
from synthetics.status_page.rendering.standing import concerns


@dataclass(frozen=True, slots=True)
class StatusSum:
    """Seconds in one status, and how many of them count as down."""

    status: ComponentStatus
    seconds: int
    weight: Decimal
    down: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """`counted` is what the percentage is of: measured and not excluded. All in seconds."""

    sums: tuple[StatusSum, ...]
    counted: int
    down: Decimal
    excluded: int
    unmeasured: int

    @property
    def total(self) -> int:
        """Everything."""
        return self.counted + self.excluded + self.unmeasured


def account(uptime: Uptime) -> Account:
    """Sums over all days. Seconds in a status that has no weight were not measured."""
    sums, loose = [], 0
    for status in ComponentStatus:
        seconds = sum(day.seconds.get(status, 0) for day in uptime.days)
        weight = uptime.weights.get(status)
        if weight is None or status is ComponentStatus.UNKNOWN:
            loose += seconds
        elif seconds:
            sums.append(StatusSum(status, seconds, weight, weight * seconds))
    return Account(
        sums=tuple(sums),
        counted=sum(each.seconds for each in sums),
        down=sum((each.down for each in sums), Decimal(0)),
        excluded=sum(day.excluded_seconds for day in uptime.days),
        unmeasured=loose + sum(day.unmeasured_seconds for day in uptime.days),
    )


def left_out(spans: Iterable[StatusSpan]) -> list[StatusSpan]:
    """What counts on neither side, newest first."""
    return _newest(each for each in spans if each.is_excluded or each.status is ComponentStatus.UNKNOWN)


def trouble(spans: Iterable[StatusSpan]) -> list[StatusSpan]:
    """What counts, newest first."""
    return _newest(each for each in spans if not each.is_excluded and each.status is not ComponentStatus.UNKNOWN)


def _newest(spans: Iterable[StatusSpan]) -> list[StatusSpan]:
    return sorted(spans, key=lambda each: (each.start, each.end), reverse=True)


def bounds(day: UptimeDay, zone: tzinfo) -> tuple[datetime, datetime]:
    """When the day begins and ends in that zone, in UTC."""
    begin = datetime.combine(day.day, time(), zone).astimezone(UTC)
    end = datetime.combine(day.day + timedelta(days=1), time(), zone).astimezone(UTC)
    return begin, end


class Happened:
    """Incidents and maintenances of one component by time, so that days and spans can name what they belong to."""

    def __init__(self, incidents: Iterable[PublicIncident], component_id: str, at: datetime, zone: tzinfo) -> None:
        self._incidents = [each for each in incidents if component_id in each.component_ids]
        self._component_id, self._at, self._zone = component_id, at, zone

    def on(self, day: UptimeDay) -> list[PublicIncident]:
        """What went on that day."""
        return list(self._within(*bounds(day, self._zone))) if self._incidents else []

    def during(self, span: StatusSpan) -> list[PublicIncident]:
        """What went on then."""
        return list(self._within(span.start, span.end))

    def _within(self, start: datetime, end: datetime) -> Iterator[PublicIncident]:
        return (each for each in self._incidents if concerns(each, self._component_id, start, end, self._at))
