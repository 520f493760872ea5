"""The kinds of documents that say where tickets are kept."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

TRACKER: Final = Kind(API_VERSION, "Tracker", ModelAt("alerts.tickets.spec", "TrackerDocument"))
KINDS: Final[tuple[Kind, ...]] = (TRACKER,)
