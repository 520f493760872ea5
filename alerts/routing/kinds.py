"""The kinds of documents that say who is told."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "alerts.routing.spec"
RECEIVER: Final = Kind(API_VERSION, "Receiver", ModelAt(_SPEC, "ReceiverDocument"))
ROUTE: Final = Kind(API_VERSION, "Route", ModelAt(_SPEC, "RouteDocument"))
KINDS: Final[tuple[Kind, ...]] = (RECEIVER, ROUTE)
