"""Who reports: HMAC-SHA256 (RFC 2104) over what is sent, with a key that only the region and we know. Pure.

The region's token never travels; the key that signs is derived from it, and is good for this region and use alone.
What is signed, line by line: `flyball-report-v1`, the method, the path, region, prober, sequence, Unix time, and the
SHA-256 of the body as it travels.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from synthetics.regions import limits

PATH: Final = "/hooks/probes"  # signed as it stands here, whatever a proxy puts in front of it
METHOD: Final = "POST"
REGION: Final = "X-Flyball-Region"
PROBER: Final = "X-Flyball-Prober"
SEQUENCE: Final = "X-Flyball-Sequence"
TIMESTAMP: Final = "X-Flyball-Timestamp"
SIGNATURE: Final = "X-Flyball-Signature"
WINDOW: Final = timedelta(minutes=5)
LEAST_TOKEN_BYTES: Final = 32
_SCHEME: Final = "flyball-report-v1"
_KEY_SCHEME: Final = "flyball-report-key-v1"
_PREFIX: Final = "v1="
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
_SIGNED: Final = re.compile(r"v1=[0-9a-f]{64}")


class Genuineness(Enum):
    """What a signature turned out to be."""

    GENUINE = "genuine"
    FORGED = "forged"  # or of a region that has no token
    REPLAYED = "replayed"  # genuine once, but its time is over, or has not come


@dataclass(frozen=True, slots=True)
class Signed:
    """The headers of a report as they came."""

    region: str
    prober: str
    sequence: str
    timestamp: str
    signature: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Signed":
        """From headers whose names are in lower case."""
        names = (REGION, PROBER, SEQUENCE, TIMESTAMP, SIGNATURE)
        return cls(*(headers.get(name.lower(), "") for name in names))


def signing_key(token: str, region: str) -> bytes:
    """The key of a region. Raises `ValueError` for a token under 32 bytes: it could be guessed."""
    secret = token.encode()
    if len(secret) < LEAST_TOKEN_BYTES:
        raise ValueError(f"the token of region {region} is shorter than {LEAST_TOKEN_BYTES} bytes")
    return _mac(secret, f"{_KEY_SCHEME}\n{region}")


def sign(key: bytes, *, region: str, prober: str, sequence: int, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that go with `body`, whose bytes are those that travel."""
    timestamp = str(int(now.timestamp()))
    said = _said(region, prober, str(sequence), timestamp, body)
    return {
        REGION: region,
        PROBER: prober,
        SEQUENCE: str(sequence),
        TIMESTAMP: timestamp,
        SIGNATURE: _PREFIX + _mac(key, said).hex(),
    }


class Keys:
    """The keys of all regions. A region may have several, while its token changes."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._keys: dict[str, tuple[bytes, ...]] = {}
        for region, token in tokens:
            self._keys[region] = (*self._keys.get(region, ()), signing_key(token, region))
        self._nobodys = (hashlib.sha256(b"".join(key for keys in self._keys.values() for key in keys)).digest(),)

    @property
    def regions(self) -> frozenset[str]:
        """Those that may report."""
        return frozenset(self._keys)

    def verify(self, signed: Signed, body: bytes, now: datetime) -> Genuineness:
        """Whether the report comes from its region, and now. Takes the same time for every region, known or not."""
        said = _said(signed.region, signed.prober, signed.sequence, signed.timestamp, body)
        given = signed.signature if _SIGNED.fullmatch(signed.signature) else _PREFIX + "0" * 64
        keys = self._keys.get(signed.region, self._nobodys)
        matches = [hmac.compare_digest(_PREFIX + _mac(key, said).hex(), given) for key in keys]
        if not any(matches) or signed.region not in self._keys or not _is_well_formed(signed):
            return Genuineness.FORGED
        sent_at = datetime.fromtimestamp(int(signed.timestamp), UTC)
        return Genuineness.GENUINE if abs(now - sent_at) <= WINDOW else Genuineness.REPLAYED


def _is_well_formed(signed: Signed) -> bool:
    return bool(
        limits.REGION.fullmatch(signed.region)
        and limits.PROBER.fullmatch(signed.prober)
        and _NUMBER.fullmatch(signed.sequence)
        and _NUMBER.fullmatch(signed.timestamp)
        and len(signed.timestamp) <= len("99999999999")  # years that a datetime can have
    )


def _said(region: str, prober: str, sequence: str, timestamp: str, body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join((_SCHEME, METHOD, PATH, region, prober, sequence, timestamp, digest))


def _mac(key: bytes, said: str) -> bytes:
    return hmac.new(key, said.encode(errors="replace"), hashlib.sha256).digest()
