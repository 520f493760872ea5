"""Where a server listens."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_WRITTEN: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the web server listens; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen_address(text: str) -> ListenAddress | None:
    """`HOST:PORT` or `[IPv6]:PORT` as an address; None for anything else."""
    match = _WRITTEN.fullmatch(text)
    if match is None or int(match["port"]) > _MAX_PORT:
        return None
    return ListenAddress(match["v6"] or match["host"], int(match["port"]))
