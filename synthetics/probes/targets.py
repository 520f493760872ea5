"""Whether a target is one that a protocol can ask, before anything is asked."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from synthetics.probes.addresses import split_host_port
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
from synthetics.probes.secrets import is_secret_name
from synthetics.probes.urls import parse_url
from synthetics.probes.variables import named_in, without_references

_SCHEMES: Final = {HTTPModule: ("http", "https"), WebSocketModule: ("ws", "wss")}
_WITH_PORT: Final = (TCPModule, TLSModule, GRPCModule)
_STAND_IN: Final = "x"


def target_fault(module: Module, target: str) -> tuple[str, str] | None:
    """What is wrong with a target, and the way out; None when it can be asked."""
    schemes = _SCHEMES.get(type(module))
    if schemes is not None:
        return _url_fault(target, schemes)
    filled = _filled(target)
    if "://" in filled:
        return "a URL, where a host is asked", _example(module)
    try:
        host, _ = split_host_port(filled, None if isinstance(module, _WITH_PORT) else 0)
    except ValueError as error:
        return str(error), _example(module)
    if isinstance(module, ICMPModule) and host != filled.strip("[]"):
        return "an echo goes to a host, not to a port", _example(module)
    return None


def secret_in(target: str) -> str:
    """What of a URL is a secret that stands there in plain text: `password`, or the name of a parameter; or empty."""
    try:
        parts = urlsplit(target)
    except ValueError:  # no URL at all, which `target_fault` tells
        return ""
    userinfo = parts.netloc.rpartition("@")[0] if "@" in parts.netloc else ""
    if without_references(userinfo.partition(":")[2]):
        return "password"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if is_secret_name(name) and without_references(value):
            return name
    return ""


def is_encrypted(module: Module, target: str) -> bool:
    """Whether certificates are shown."""
    if type(module) in _SCHEMES:
        return target.lower().startswith(("https://", "wss://"))
    if isinstance(module, TCPModule):
        return module.tls is not None or any(step.start_tls for step in module.steps)
    if isinstance(module, GRPCModule):
        return module.tls is not None
    return isinstance(module, TLSModule) or (isinstance(module, DNSModule) and module.transport == "tls")


def _url_fault(target: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    example = f"write it as {schemes[1]}://host/path"
    filled = _filled(target)
    if "://" not in filled:
        return "not a URL", example
    try:
        parse_url(filled, schemes)
    except ValueError as error:
        return f"not a URL that can be asked: it {error}", example
    return None


def _filled(target: str) -> str:
    for name in named_in(target):
        target = target.replace(f"${{env:{name}}}", _STAND_IN)
    return target


def _example(module: Module) -> str:
    if isinstance(module, _WITH_PORT):
        return "write it as host:port, such as db.example.com:5432"
    if isinstance(module, DNSModule):
        return "write the name server as host or host:port, such as 9.9.9.9:53"
    return "write it as a host, such as gateway.example.com"
