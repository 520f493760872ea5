"""One language and one time zone, as templates and feeds speak."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.model.public_status import ComponentStatus, Impact, IncidentStatus, PublicSnapshot, UptimeDay
from synthetics.status_page.rendering.catalogue import Catalogue, plain

_NAMES_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Voice:
    """What people read. Times are told in the page's zone."""

    catalogue: Catalogue
    zone: ZoneInfo

    def text(self, key: str, /, **values: object) -> str:
        """See `Catalogue.text`."""
        return self.catalogue.text(key, **values)

    def counted(self, key: str, count: int, /, **values: object) -> str:
        """See `Catalogue.counted`."""
        return self.catalogue.counted(key, count, **values)

    def moment(self, at: datetime) -> str:
        """`30 November 2026, 19:21 CET`."""
        return self.catalogue.moment(at.astimezone(self.zone))

    def span(self, start: datetime, end: datetime | None) -> str:
        """From when until when; the day once if it is the same."""
        if end is None:
            return self.text("maintenance.open_end", start=self.moment(start))
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        told = self.catalogue.clock(last) if first.date() == last.date() else self.catalogue.moment(last)
        return self.text("date.range", start=self.catalogue.moment(first), end=told)

    def day(self, day: date) -> str:
        """`30 November 2026`."""
        return self.catalogue.day(day)

    def month(self, month: date) -> str:
        """`November 2026`."""
        return self.catalogue.month(month)

    def between(self, start: datetime, end: datetime) -> str:
        """How long that is."""
        return self.duration(int((end - start).total_seconds()))

    def duration(self, seconds: int) -> str:
        """`1 hour 7 minutes`."""
        return self.catalogue.duration(seconds)

    def number(self, value: int | Decimal) -> str:
        """With all its digits."""
        return self.catalogue.number(value)

    def percent(self, ratio: Decimal | None) -> str:
        """Never rounded up."""
        return self.catalogue.percent(ratio)

    def status(self, status: ComponentStatus) -> str:
        """In a word or two."""
        return self.text(f"status.{status.value}")

    def told_of(self, day: UptimeDay) -> str:
        """The day's percentage, and why it is what it is."""
        happened = self.happened_on(day)
        return f"{self.percent(day.ratio)}, {happened}" if happened else self.percent(day.ratio)

    def happened_on(self, day: UptimeDay) -> str:
        """How long there was what; empty for a day on which all was well, and measured."""
        quiet = (ComponentStatus.OPERATIONAL, ComponentStatus.UNKNOWN)
        told = [
            f"{self.status(status)}: {self.duration(seconds)}"
            for status, seconds in day.seconds.items()
            if seconds and status not in quiet
        ]
        for name, seconds in (
            ("excluded", day.excluded_seconds),
            ("unmeasured", day.unmeasured_seconds),
            ("corrected", day.corrected_seconds),
        ):
            if seconds:
                told.append(self.text(f"uptime.{name}_for", length=self.duration(seconds)))
        return ", ".join(told)

    def stage(self, status: IncidentStatus) -> str:
        """Where an incident stands."""
        return self.text(f"stage.{status.value}")

    def impact(self, impact: Impact) -> str:
        """How bad it is."""
        return self.text(f"impact.{impact.value}")

    def terms(self, weights: Mapping[ComponentStatus, Decimal]) -> str:
        """What counts as down and how much: `0.3 × Partial outage + 1 × Major outage`."""
        heavy = [(status, weights[status]) for status in ComponentStatus if weights.get(status)]
        told = " + ".join(f"{self.number(plain(weight))} × {self.status(status)}" for status, weight in heavy)
        return told or self.text("uptime.formula_none")

    def names(self, names: list[str]) -> str:
        """The first ones, and how many more there are."""
        told, more = ", ".join(names[:_NAMES_TOLD]), len(names) - _NAMES_TOLD
        return self.counted("overall.more", more, names=told) if more > 0 else told

    def offset(self, at: datetime) -> str:
        """What the zone adds to UTC: `+1:00`."""
        text = f"{at.astimezone(self.zone):%z}"
        return f"{text[0].replace('-', '−')}{int(text[1:3])}:{text[3:5]}"


def voice_of(catalogue: Catalogue, snapshot: PublicSnapshot) -> Voice:
    """For that page."""
    return Voice(catalogue, ZoneInfo(snapshot.page.time_zone))


def utc(at: datetime) -> str:
    """For `datetime` attributes: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
