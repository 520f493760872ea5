"""`host:port` in its parts."""

from typing import Final

_MOST_PORT: Final = 65_535


def split_host_port(text: str, default_port: int | None = None) -> tuple[str, int]:
    """`host:port`, `[v6]:port` or `host` in its parts; a bare IPv6 address is a host. ValueError for anything else."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"`{text}` is not host:port")
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not host or (not port and default_port is None):
        raise ValueError(f"`{text}` is not host:port")
    if not port:
        assert default_port is not None
        return host, default_port
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _MOST_PORT:
        raise ValueError(f"`{port}` is not a port")
    return host, int(port)
