"""Which prober asks which protocol. Probers are imported when they are first needed."""

from functools import cache
from importlib import import_module
from typing import Final

from synthetics.probes.attempt import ProtocolProber
from synthetics.probes.modules import (
    DNSModule,
    GRPCModule,
    HTTPModule,
    ICMPModule,
    Module,
    TCPModule,
    TLSModule,
    WebSocketModule,
)

_ADAPTERS: Final = "synthetics.probes.adapters"
NAMES: Final[dict[type[Module], str]] = {
    HTTPModule: "http",
    TCPModule: "tcp",
    DNSModule: "dns",
    TLSModule: "tls",
    ICMPModule: "icmp",
    GRPCModule: "grpc",
    WebSocketModule: "websocket",
}
"""As files and blackbox_exporter call them."""

_PROBERS: Final = {name: f"{_ADAPTERS}.{name}:probe_{name}" for name in NAMES.values()}


def protocol_of(module: Module) -> str:
    """`http`, `tcp`, …"""
    return NAMES[type(module)]


def prober_of(module: Module) -> ProtocolProber[Module]:
    """What asks this protocol."""
    return _load(protocol_of(module))


@cache
def _load(protocol: str) -> ProtocolProber[Module]:
    path, _, function = _PROBERS[protocol].partition(":")
    prober: ProtocolProber[Module] = getattr(import_module(path), function)
    return prober
