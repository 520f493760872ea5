"""Incidents as they are now, with all that a message or a page about them needs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from alerts.model import AlertsDeclared, Link, Snapshot
from alerts.runbooks.linking import runbooks_of
from controlplane import conventions
from controlplane.model.alert import Alert
from controlplane.model.incident import DueStep, Incident
from controlplane.ports import Store, Transaction

MOST_ALERTS: Final = 20
MOST_LINKS: Final = 5
MOST_LINES: Final = 200
PAGE_PATH: Final = "/incidents"  # of the console; then the incident's id
_SCHEMES: Final = ("http://", "https://")


def server_time(transaction: Transaction) -> datetime:
    """The database's; tests give another one."""
    return transaction.database_time()


class IncidentSnapshots:
    """Implements `alerts.ports.Snapshots`. `console_url` is where people reach the console, empty where nobody said."""

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        console_url: str = "",
        *,
        read_time: Callable[[Transaction], datetime] = server_time,
    ) -> None:
        self._store = store
        self._declared = declared
        self._console_url = console_url
        self._read_time = read_time

    def of(self, incident: str) -> Snapshot | None:
        """The incident as it is now, by id or name; None when there is none. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(incident)
            if found is None:
                return None
            at = self._read_time(transaction)
            return snapshot(transaction, found, self._declared(), self._console_url, at)


def snapshot(
    transaction: Transaction, incident: Incident, declared: AlertsDeclared, console_url: str, at: datetime
) -> Snapshot:
    """The same in a transaction that is under way."""
    alerts = [each.alert for _, each in transaction.incidents.alerts_of(incident.id, MOST_ALERTS) if each is not None]
    alert_count, firing_count = transaction.incidents.count_alerts(incident.id)
    return Snapshot(
        incident=incident,
        alerts=tuple(alerts),
        alert_count=alert_count,
        firing_count=firing_count,
        runbooks=runbook_links(alerts, declared, console_url),
        links=links_of(alerts),
        page_url=page_url(console_url, incident.id),
        timeline=tuple(transaction.incidents.timeline(incident.id, MOST_LINES)),
        taken_at=at,
        on_call=_told(declared, transaction.incidents.steps_of(incident.id)),
    )


def page_url(console_url: str, incident: str) -> str:
    """Where the console shows it; empty where nobody said where that is."""
    return f"{console_url.rstrip('/')}{PAGE_PATH}/{incident}" if console_url else ""


def _told(declared: AlertsDeclared, steps: Sequence[DueStep]) -> tuple[str, ...]:
    told = dict.fromkeys(name for step in steps if step.fired_at is not None for name in step.told)
    found = ((name, declared.receiver(name)) for name in told)
    return tuple(receiver.display_name or name if receiver else name for name, receiver in found)


def runbook_links(alerts: Iterable[Alert], declared: AlertsDeclared, console_url: str) -> tuple[Link, ...]:
    """Runbooks that the alerts have, each once."""
    known = declared.runbooks
    found = (link for each in alerts for link in runbooks_of(each.labels, each.annotations, known, console_url))
    return _distinct(found)


def links_of(alerts: Sequence[Alert]) -> tuple[Link, ...]:
    """What else there is to read about the alerts: dashboards first, then their queries."""
    dashboards = (Link("Dashboard", alert.annotations.get(conventions.DASHBOARD_URL, "")) for alert in alerts)
    queries = (Link("Query", alert.generator_url) for alert in alerts)
    return (*_distinct(dashboards), *_distinct(queries))


def _distinct(links: Iterable[Link]) -> tuple[Link, ...]:
    """Each address once; what is no web address is nothing that people can follow."""
    found: dict[str, Link] = {}
    for link in links:
        if link.url.startswith(_SCHEMES):
            found.setdefault(link.url, link)
    return tuple(found.values())[:MOST_LINKS]
