"""Documents about routing, read as a workspace reads them."""

from alerts.escalation import kinds as escalation
from alerts.maintenance import kinds as maintenance
from alerts.maintenance.declared import declared as windows_of
from alerts.maintenance.model import MaintenanceWindow
from alerts.model import AlertsDeclared
from alerts.routing import kinds as routing
from alerts.routing.declared import DeclaredRoutes, Known, declared
from alerts.routing.model import Route
from alerts.runbooks import kinds as runbooks
from alerts.schedules import kinds as schedules
from controlplane.specfile import Document, SourceFile, read
from flyball.alerting.declared import alerts_of

KINDS = (*routing.KINDS, *maintenance.KINDS, *runbooks.KINDS, *schedules.KINDS, *escalation.KINDS)
HEAD = "apiVersion: flyball.dev/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:\n"
KNOWN = Known(receivers=("chat", "pager", "dba"), policies=("p0", "slow"), windows=("nights", "office-hours"))


def documents(text: str) -> list[Document]:
    """Every document of a text; its shape must be right."""
    result = read([SourceFile("alerts.yaml", text.encode())], KINDS)
    assert list(result.problems) == []
    return list(result.documents)


def of(kind: str, name: str, spec: str) -> str:
    """A document; its `spec` begins in line 5 (of the first one)."""
    lines = "".join(f"  {line}\n" for line in spec.strip("\n").split("\n"))
    return HEAD.format(kind, name) + lines


def routes(*texts: str, known: Known = KNOWN) -> DeclaredRoutes:
    """The tree of some documents."""
    return declared(documents("---\n".join(texts)), known)


def root(*texts: str) -> Route:
    """The tree of documents without mistakes."""
    found = routes(*texts)
    assert found.problems == ()
    assert found.root is not None
    return found.root


def everything(*texts: str) -> AlertsDeclared:
    """All that documents declare, without mistakes."""
    found, problems = alerts_of(documents("---\n".join(texts)))
    assert problems == ()
    return found


def window(spec: str, name: str = "nights") -> MaintenanceWindow:
    """A maintenance window without mistakes."""
    found = windows_of(documents(of("MaintenanceWindow", name, spec)))
    assert found.problems == ()
    return found.values[0]
