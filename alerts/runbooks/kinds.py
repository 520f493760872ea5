"""The kinds of documents that say what to do."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

RUNBOOK: Final = Kind(API_VERSION, "Runbook", ModelAt("alerts.runbooks.spec", "RunbookDocument"))
KINDS: Final[tuple[Kind, ...]] = (RUNBOOK,)
