"""What a Prometheus says of its own storage: how it can be given a past."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import yaml

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_catalogue import written_length
from controlplane.ports import Permanent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = 1 << 60  # milliseconds; an empty head says the largest integer
_JSON = Any


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """What is known; None where the server does not tell (others than Prometheus do not).

    `head_begins`: since when samples are in memory and not in blocks, None also when there are none. `late`: how old a
    sample may be that comes late (`out_of_order_time_window`). `longest_block`: `--storage.tsdb.max-block-duration`.
    """

    head_begins: datetime | None = None
    takes_remote_write: bool | None = None
    late: timedelta | None = None
    longest_block: timedelta | None = None


def storage_facts(backend: PrometheusBackend) -> StorageFacts:
    """Ask. Raises `Transient` when it does not answer."""
    flags = _told(backend, "/api/v1/status/flags", dict[str, str])
    receiver = flags.get("web.enable-remote-write-receiver") if flags else None
    longest = flags.get("storage.tsdb.max-block-duration") if flags else None
    return StorageFacts(
        head_begins=_told(backend, "/api/v1/status/tsdb", _head_begins),
        takes_remote_write=None if receiver is None else receiver == "true",
        late=_told(backend, "/api/v1/status/config", _late),
        longest_block=written_length(longest) if longest else None,
    )


def _told(backend: PrometheusBackend, path: str, reader: Any) -> Any:
    try:
        return backend.read(path, reader)
    except Permanent:
        return None


def _head_begins(data: _JSON) -> datetime | None:
    milliseconds = int(data["headStats"]["minTime"])
    return _EPOCH + timedelta(milliseconds=milliseconds) if abs(milliseconds) < _NEVER else None


def _late(data: _JSON) -> timedelta:
    try:
        config = yaml.safe_load(data["yaml"])
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    window = ((config.get("storage") or {}).get("tsdb") or {}).get("out_of_order_time_window", "0s")
    return written_length(str(window)) or timedelta(0)
