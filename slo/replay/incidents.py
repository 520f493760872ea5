"""Incidents that people know of, and which alert told of which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.burn_rate import Urgency
from slo.replay.notifications import Notification

LEAD: Final = timedelta(minutes=5)  # an alert may come before the time that people wrote down as the beginning
LAG: Final = timedelta(minutes=15)  # what is told so late after the end still belongs to it


@dataclass(frozen=True, slots=True)
class Incident:
    """A time, [start, end), in which users were hurt. `slo` or `service` say whose; both empty: everybody's.

    `urgency` is who should have been told: a page, or a ticket at least.
    """

    start: datetime
    end: datetime
    slo: str = ""
    service: str = ""
    urgency: Urgency = Urgency.PAGE
    name: str = ""

    def concerns(self, slo: str, service: str) -> bool:
        """Whether it is about this SLO."""
        return (not self.slo or self.slo == slo) and (not self.service or self.service == service)

    def is_told_by(self, told: Notification) -> bool:
        """Whether the alert fired during it, or up to `LEAD` before and `LAG` after."""
        return told.start < self.end + LAG and told.end > self.start - LEAD


@dataclass(frozen=True, slots=True)
class Score:
    """How well alerts of a sort fit the incidents: `right` of `sent` told of one, `found` of `incidents` were told."""

    sent: int
    right: int
    incidents: int
    found: int

    @property
    def precision(self) -> float | None:
        """The share of alerts that told of an incident; None when none was sent."""
        return self.right / self.sent if self.sent else None

    @property
    def recall(self) -> float | None:
        """The share of incidents that were told; None when there were none."""
        return self.found / self.incidents if self.incidents else None


@dataclass(frozen=True, slots=True)
class ToldIncident:
    """An incident and how it was told: the first alert's SLO, and how long after the start; negative is before."""

    incident: Incident
    by: Urgency | None
    slo: str
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Alerts against incidents. `pages` are judged by the incidents that ask for a page, `alerts` all by all.

    `tickets` are right when they told of any incident; the incidents of theirs ask for a ticket, and a page finds them
    too. `left_out` counts incidents that lie outside of the time, or concern none of the SLOs.
    """

    pages: Score
    tickets: Score
    alerts: Score
    told: tuple[ToldIncident, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Told:
    """A notification, and whose it is."""

    slo: str
    service: str
    notification: Notification


def verdict_on(
    incidents: Sequence[Incident], sent: Iterable[Told], slos: Mapping[str, str], since: datetime, until: datetime
) -> Verdict:
    """Judge the alerts `sent` in [since, until). `slos` maps the name of each SLO to its service."""
    known = [
        incident
        for incident in incidents
        if incident.start < until
        and incident.end > since
        and any(incident.concerns(slo, service) for slo, service in slos.items())
    ]
    everything = list(sent)
    pages = [told for told in everything if told.notification.urgency is Urgency.PAGE]
    tickets = [told for told in everything if told.notification.urgency is Urgency.TICKET]
    grave = [incident for incident in known if incident.urgency is Urgency.PAGE]
    slight = [incident for incident in known if incident.urgency is Urgency.TICKET]
    return Verdict(
        pages=Score(len(pages), _right(pages, known), len(grave), _found(grave, pages)),
        tickets=Score(len(tickets), _right(tickets, known), len(slight), _found(slight, everything)),
        alerts=Score(len(everything), _right(everything, known), len(known), _found(known, everything)),
        told=tuple(_told(incident, everything) for incident in known),
        left_out=len(incidents) - len(known),
    )


def _fits(incident: Incident, told: Told) -> bool:
    return incident.concerns(told.slo, told.service) and incident.is_told_by(told.notification)


def _right(sent: Sequence[Told], incidents: Sequence[Incident]) -> int:
    return sum(any(_fits(incident, told) for incident in incidents) for told in sent)


def _found(incidents: Sequence[Incident], sent: Sequence[Told]) -> int:
    return sum(any(_fits(incident, told) for told in sent) for incident in incidents)


def _told(incident: Incident, sent: Sequence[Told]) -> ToldIncident:
    """By the most urgent alert, of those by the first."""
    fitting = [told for told in sent if _fits(incident, told)]
    if not fitting:
        return ToldIncident(incident, None, "", None)
    first = min(fitting, key=lambda told: (told.notification.urgency is not Urgency.PAGE, told.notification.start))
    after = first.notification.start - incident.start
    return ToldIncident(incident, first.notification.urgency, first.slo, after)
