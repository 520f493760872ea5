"""Modules that need not be declared: those of blackbox_exporter's own configuration file, and a few of its examples."""

from datetime import timedelta
from typing import Final

from synthetics.probes.model import ProbeModule
from synthetics.probes.modules import (
    DNSModule,
    GRPCModule,
    HTTPModule,
    ICMPModule,
    Module,
    QueryStep,
    TCPModule,
    TLSModule,
    TLSOptions,
    WebSocketModule,
)

_FIVE_SECONDS: Final = timedelta(seconds=5)
_IRC: Final = (
    QueryStep(send="NICK prober"),
    QueryStep(send="USER prober prober prober :prober"),
    QueryStep(expect="PING :([^ ]+)", send="PONG ${1}"),
    QueryStep(expect="^:[^ ]+ 001"),
)
_SSH: Final = (QueryStep(expect="^SSH-2.0-"), QueryStep(send="SSH-2.0-blackbox-ssh-check"))
# A question that every resolver, and every server of the root, can answer.
_ROOT: Final = ".", "NS"

_MODULES: Final[tuple[tuple[str, Module, timedelta | None, str], ...]] = (
    ("http_2xx", HTTPModule(), None, "GET, and a status of 2xx"),
    ("http_post_2xx", HTTPModule(method="POST"), None, "POST, and a status of 2xx"),
    ("tcp_connect", TCPModule(), None, "a TCP connection"),
    ("tls_connect", TLSModule(), None, "a TLS handshake with a certificate that is believed"),
    ("pop3s_banner", TCPModule(TLSOptions(), (QueryStep(expect=r"^\+OK"),)), None, "POP3 over TLS greets"),
    ("ssh_banner", TCPModule(steps=_SSH), None, "SSH greets"),
    ("irc_banner", TCPModule(steps=_IRC), None, "IRC lets us in"),
    ("grpc", GRPCModule(tls=TLSOptions()), None, "gRPC health over TLS"),
    ("grpc_plain", GRPCModule(), None, "gRPC health without TLS"),
    ("icmp", ICMPModule(), None, "an echo"),
    ("icmp_ttl5", ICMPModule(ttl=5), _FIVE_SECONDS, "an echo over at most 5 hops"),
    ("dns_udp", DNSModule(*_ROOT), None, "a name server answers over UDP: name servers of the root"),
    ("dns_tcp", DNSModule(*_ROOT, transport="tcp"), None, "a name server answers over TCP"),
    ("websocket", WebSocketModule(), None, "a WebSocket handshake"),
)
BUILT_IN: Final = {
    name: ProbeModule(name, module, timeout=timeout, description=description)
    for name, module, timeout, description in _MODULES
}
"""By name. http_2xx is what `/probe` uses when no module is named."""
