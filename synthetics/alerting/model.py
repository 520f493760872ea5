"""What alerts need to know of what is declared."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Protocol

from controlplane import conventions as names
from controlplane.model.check import CheckKind
from controlplane.model.rule import Labels
from synthetics.probes.modules import Assertion, AssertionKind

CERTIFICATE_DAYS: Final = Decimal(21)
URGENT_CERTIFICATE_DAYS: Final = Decimal(3)
_WEEK: Final = Decimal(7)
_LEAST_LATE: Final = timedelta(minutes=5)  # reports, scrapes and rules take their time as well
_MISSED: Final = 3


@dataclass(frozen=True, slots=True)
class AlertedCheck:
    """A probe or journey whose failures are told. `labels` are copied to its alerts.

    `certificate_days`: the probe itself fails when a certificate is valid for less; None when it does not look.
    """

    kind: CheckKind
    name: str
    every: timedelta
    service: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: Labels = ()
    certificate_days: Decimal | None = None

    @property
    def late_after(self) -> timedelta:
        """After so long without a run somebody is told: three intervals."""
        return max(_MISSED * self.every, _LEAST_LATE)

    @property
    def told_days(self) -> Decimal:
        """A certificate that is valid for less is told: a week before the probe fails for it."""
        return CERTIFICATE_DAYS if self.certificate_days is None else self.certificate_days + _WEEK


class Alertable(Protocol):
    """A Probe or a Journey, as far as alerts are concerned. Its label `service` says whose users are affected."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def owner(self) -> str:
        """Who answers for it."""
        ...

    @property
    def runbook_url(self) -> str:
        """What to do."""
        ...

    @property
    def labels(self) -> Labels:
        """What its alerts carry besides."""
        ...


class AlertableProbe(Alertable, Protocol):
    """A Probe."""

    @property
    def interval(self) -> timedelta:
        """How often it asks."""
        ...

    @property
    def assertions(self) -> tuple[Assertion, ...]:
        """What must hold."""
        ...


class AlertableJourney(Alertable, Protocol):
    """A Journey."""

    @property
    def every(self) -> timedelta:
        """How often it is walked."""
        ...


def alerted(probes: Iterable[AlertableProbe], journeys: Iterable[AlertableJourney]) -> tuple[AlertedCheck, ...]:
    """What alerts watch of these."""
    of_probes = (
        _check(each, CheckKind.PROBE, each.interval, certificate_days(each.assertions)) for each in probes
    )  # fmt: skip
    return (*of_probes, *(_check(each, CheckKind.JOURNEY, each.every) for each in journeys))


def _check(each: Alertable, kind: CheckKind, every: timedelta, days: Decimal | None = None) -> AlertedCheck:
    service = dict(each.labels).get(names.SERVICE, "")
    return AlertedCheck(kind, each.name, every, service, each.owner, each.runbook_url, each.labels, days)


class Path(Protocol):
    """A golden path, as far as alerts are concerned."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def owner(self) -> str:
        """Who answers for it."""
        ...

    @property
    def runbook_url(self) -> str:
        """What to do."""
        ...


def certificate_days(assertions: Iterable[Assertion]) -> Decimal | None:
    """For how many days a certificate must be valid at least, by a probe's assertions; None where none says so."""
    asked = (each.least_days for each in assertions if each.kind is AssertionKind.CERTIFICATE)
    return max((days for days in asked if days is not None), default=None)
