"""Every document about who is told of alerts, as values; each part reads its own kinds."""

from collections.abc import Callable, Sequence
from typing import Final

from alerts.escalation import kinds as escalation_kinds
from alerts.maintenance import kinds as maintenance_kinds
from alerts.model import AlertsDeclared
from alerts.routing import kinds as routing_kinds
from alerts.runbooks import kinds as runbook_kinds
from alerts.schedules import kinds as schedule_kinds
from alerts.tickets import kinds as ticket_kinds
from controlplane.problems import Problem
from controlplane.specfile import Document, Kind

KINDS: Final[tuple[Kind, ...]] = (
    *routing_kinds.KINDS,
    *escalation_kinds.KINDS,
    *schedule_kinds.KINDS,
    *maintenance_kinds.KINDS,
    *runbook_kinds.KINDS,
    *ticket_kinds.KINDS,
)
NO_ALERTS: Final = AlertsDeclared()


class _Names(frozenset[str]):
    """Names of a kind's documents, and whether others may stand in files that could not be read."""

    may_be_declared: Callable[[str], bool]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self.may_be_declared(name))


def is_about_alerts(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def alerts_of(
    documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> tuple[AlertsDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it.

    `may_be_declared`: whether a document that was not read may have this name.
    """
    own = [document for document in documents if is_about_alerts(document)]
    if not own:
        return NO_ALERTS, ()
    from alerts.escalation.declared import declared as policies_of
    from alerts.escalation.declared import target_problems
    from alerts.maintenance.declared import declared as windows_of
    from alerts.routing.declared import Known
    from alerts.routing.declared import declared as routes_of
    from alerts.routing.declared_receivers import declared as receivers_of
    from alerts.runbooks.declared import declared as runbooks_of
    from alerts.schedules.declared import declared as schedules_of
    from alerts.schedules.lint import participant_problems
    from alerts.tickets.declared import declared as trackers_of

    def names(kind: str) -> _Names:
        """Of documents with mistakes as well: a reference to one is not another mistake."""
        found = _Names(str(each.value.metadata.name) for each in own if each.kind.name == kind)  # type: ignore[attr-defined]
        found.may_be_declared = may_be_declared
        return found

    receivers, schedules = names("Receiver"), names("Schedule")
    known = Known(receivers, names("EscalationPolicy"), names("MaintenanceWindow"))
    routes = routes_of(own, known)
    told, policies, rota, windows = receivers_of(own), policies_of(own), schedules_of(own), windows_of(own)
    runbooks, trackers = runbooks_of(own), trackers_of(own)
    declared = AlertsDeclared(
        root=routes.root,
        receivers=told.values,
        policies=policies.values,
        schedules=rota.values,
        windows=windows.values,
        runbooks=runbooks.values,
        trackers=trackers.values,
    )
    found = (routes, told, policies, rota, windows, runbooks, trackers)
    problems = [problem for each in found for problem in each.problems]
    problems += target_problems(own, receivers, schedules)
    problems += participant_problems(own, receivers)
    return declared, tuple(problems)


def in_words(declared: AlertsDeclared) -> str:
    """How much is declared: `4 routes, 6 receivers`; empty where nothing is."""
    counted = {
        "route": len(tuple(declared.root.nodes())) - 1 if declared.root else 0,  # the Watchdog's is ours
        "receiver": len(declared.receivers),
        "schedule": len(declared.schedules),
        "runbook": len(declared.runbooks),
        "tracker": len(declared.trackers),
    }
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counted.items() if count)
