"""Certificates that a server shows, believed or not, and what blackbox_exporter tells of them."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from controlplane.model.check import CheckSample

if TYPE_CHECKING:
    from cryptography import x509

_REMEMBERED: Final = 4096
_DER: Final = 2  # _ssl.ENCODING_DER
_MOST_TEXT: Final = 1000  # characters of a label's value
_VERSIONS: Final = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate says. Texts are empty where it says nothing that can be read."""

    ends_at: datetime
    fingerprint_sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]  # DNS names of the subject
    serial: str  # hexadecimal


Connection = ssl.SSLObject | ssl.SSLSocket


def unverified_chain(connection: Connection) -> tuple[bytes, ...]:
    """What the server showed, DER, its own first; also within and after a handshake that failed on it."""
    public = getattr(connection, "get_unverified_chain", None)  # from Python 3.13 on
    if public is not None:
        return tuple(public())
    found = _private_chain(connection, "get_unverified_chain")
    if found:
        return found
    own = connection.getpeercert(binary_form=True)
    return () if own is None else (own,)


def verified_chain(connection: Connection) -> tuple[bytes, ...]:
    """The chain that was believed, down to the root, DER; empty when nothing was checked."""
    public = getattr(connection, "get_verified_chain", None)
    if public is not None:
        return tuple(public())
    return _private_chain(connection, "get_verified_chain")


def _private_chain(connection: Connection, method: str) -> tuple[bytes, ...]:
    """Python 3.11 and 3.12 have these methods on the inner object only, giving objects of `_ssl`."""
    inner = getattr(connection, "_sslobj", None)
    get = getattr(inner, method, None)
    try:
        chain = get() if get is not None else None
    except ssl.SSLError:
        return ()
    return tuple(one.public_bytes(_DER) for one in chain or ())


@lru_cache(maxsize=_REMEMBERED)
def read_certificate(der: bytes) -> Certificate | None:
    """What a certificate says; None when it is none. Remembered by its bytes: most targets show the same again."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        read = x509.load_der_x509_certificate(der)
        ends_at = read.not_valid_after_utc
        fingerprint = read.fingerprint(hashes.SHA256()).hex()
    except ValueError:
        return None
    serial = read.serial_number
    return Certificate(
        ends_at=ends_at,
        fingerprint_sha256=fingerprint,
        subject=_name(read),
        issuer=_name(read, of_issuer=True),
        names=_dns_names(read),
        serial=serial.to_bytes((serial.bit_length() + 7) // 8).hex() if serial > 0 else "",
    )


def earliest_end(chain: Sequence[bytes]) -> datetime | None:
    """When the first certificate of a chain ends; None for an empty chain."""
    ends = [found.ends_at for found in map(read_certificate, chain) if found is not None]
    return min(ends, default=None)


def certificate_samples(
    shown: Sequence[bytes], believed: Sequence[bytes] = (), version: str | None = None
) -> tuple[CheckSample, ...]:
    """Gauges by their names in blackbox_exporter, from `unverified_chain`, `verified_chain` and `version()`.

    Without a believed chain there is no `probe_ssl_last_chain_expiry_timestamp_seconds` (blackbox_exporter says the
    year 1); a chain that was refused still tells when it ends.
    """
    end, believed_end = earliest_end(shown), earliest_end(believed)
    found: list[CheckSample] = []
    if end is not None:
        found.append(CheckSample("probe_ssl_earliest_cert_expiry", end.timestamp()))
    if believed_end is not None:
        found.append(CheckSample("probe_ssl_last_chain_expiry_timestamp_seconds", believed_end.timestamp()))
    own = read_certificate(shown[0]) if shown else None
    if own is not None:
        found.append(CheckSample("probe_ssl_last_chain_info", 1, _labels(own)))
    if version:
        found.append(CheckSample("probe_tls_version_info", 1, (("version", _VERSIONS.get(version, "unknown")),)))
    return tuple(found)


def _labels(own: Certificate) -> tuple[tuple[str, str], ...]:
    return (
        ("fingerprint_sha256", own.fingerprint_sha256),
        ("issuer", own.issuer[:_MOST_TEXT]),
        ("serialnumber", own.serial),
        ("subject", own.subject[:_MOST_TEXT]),
        ("subjectalternative", ",".join(own.names)[:_MOST_TEXT]),
    )


def _name(read: "x509.Certificate", *, of_issuer: bool = False) -> str:
    try:
        return (read.issuer if of_issuer else read.subject).rfc4514_string()
    except ValueError:
        return ""


def _dns_names(read: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))
