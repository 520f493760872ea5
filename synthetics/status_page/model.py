"""A status page as its file declares it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from controlplane.model.public_status import ComponentStatus
from controlplane.model.source import SourcePosition

Words = tuple[tuple[str, str], ...]  # language and text


@dataclass(frozen=True, slots=True)
class Sources:
    """What a component's status is made from, by name. None at all: people say what it is."""

    slos: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    journeys: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is measured."""
        return bool(self.slos or self.probes or self.journeys)


@dataclass(frozen=True, slots=True)
class Weights:
    """What a second of a status counts as downtime, 0 to 1."""

    degraded: Decimal = Decimal(0)
    partial: Decimal = Decimal("0.3")
    major: Decimal = Decimal(1)

    def by_status(self) -> Mapping[ComponentStatus, Decimal]:
        """The same, with what never counts as downtime."""
        return {
            ComponentStatus.OPERATIONAL: Decimal(0),
            ComponentStatus.UNDER_MAINTENANCE: Decimal(0),
            ComponentStatus.DEGRADED: self.degraded,
            ComponentStatus.PARTIAL: self.partial,
            ComponentStatus.MAJOR: self.major,
        }


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the page; `id` is stable."""

    id: str
    name: str
    description: str = ""
    group: str | None = None
    sources: Sources = Sources()
    only_show_if_degraded: bool = False
    shows_uptime: bool = True
    weights: Weights = Weights()
    names: Words = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A heading, and the ids of the components under it in order."""

    id: str
    name: str
    description: str = ""
    components: tuple[str, ...] = ()
    names: Words = ()


class Automatic(Enum):
    """What happens by itself when a component fails."""

    OFF = "off"
    DRAFT = "draft"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class Templates:
    """Texts of automatic updates with {components}, {impact}, {since}, {next}; empty: ours (`wording.py`)."""

    name: str = ""
    investigating: str = ""
    update: str = ""
    monitoring: str = ""
    resolved: str = ""


@dataclass(frozen=True, slots=True)
class IncidentPolicy:
    """When incidents begin and end by themselves, who must agree, and how often the public hears of them."""

    automatic: Automatic = Automatic.DRAFT
    needs_approval: bool = True
    update_every: timedelta = timedelta(minutes=15)
    merge_within: timedelta = timedelta(minutes=10)
    wait: timedelta = timedelta(0)
    calm_for: timedelta = timedelta(minutes=10)
    templates: Templates = Templates()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work: once (`rrule` empty), or from `start` on by a rule, on the clocks of the page's zone.

    `announce`: how long before it is told. `expects`: the worst that it explains.
    """

    id: str
    title: str
    start: datetime
    length: timedelta
    components: tuple[str, ...]
    body: str = ""
    rrule: str = ""
    announce: timedelta = timedelta(days=7)
    is_excluded: bool = True
    expects: ComponentStatus = ComponentStatus.MAJOR


@dataclass(frozen=True, slots=True)
class DeclaredCorrection:
    """[start, end) of a component counts as `status`, not as what was measured."""

    component: str
    start: datetime
    end: datetime
    status: ComponentStatus
    reason: str


@dataclass(frozen=True, slots=True)
class TierText:
    """What a tier of the ladder means in public; no components: all."""

    tier: int
    text: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who mails subscribers."""

    sender: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class SubscriberPolicy:
    """By which ways people may subscribe, and where the public reaches us for that (empty: not at all)."""

    webhook: bool = False
    email: Mailing | None = None
    subscribe_url: str = ""

    @property
    def any_way(self) -> bool:
        """Whether there is one."""
        return self.webhook or self.email is not None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """All of it. `page_alert` and `ticket_alert`: what an alert about an SLO makes of its components, None: nothing."""

    name: str
    title: str
    url: str
    time_zone: str
    components: tuple[Component, ...]
    source: SourcePosition = field(compare=False)
    languages: tuple[str, ...] = ("en",)
    description: str = ""
    support_url: str = ""
    groups: tuple[Group, ...] = ()
    regions: tuple[tuple[str, str], ...] = ()
    page_alert: ComponentStatus | None = ComponentStatus.DEGRADED
    ticket_alert: ComponentStatus | None = None
    incidents: IncidentPolicy = IncidentPolicy()
    maintenances: tuple[Maintenance, ...] = ()
    corrections: tuple[DeclaredCorrection, ...] = ()
    tiers: tuple[TierText, ...] = ()
    subscribers: SubscriberPolicy = SubscriberPolicy()
    retention: timedelta = timedelta(days=400)

    def component(self, id_: str) -> Component | None:
        """The one of that id."""
        return next((each for each in self.components if each.id == id_), None)
