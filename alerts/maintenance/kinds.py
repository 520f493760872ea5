"""The kinds of documents that say when alerts are kept quiet."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

MAINTENANCE_WINDOW: Final = Kind(
    API_VERSION, "MaintenanceWindow", ModelAt("alerts.maintenance.spec", "MaintenanceWindowDocument")
)
KINDS: Final[tuple[Kind, ...]] = (MAINTENANCE_WINDOW,)
