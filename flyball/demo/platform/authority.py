"""A certificate authority of the demo's own, and what its ingress shows: a good certificate, and one that runs out."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_GOOD_FOR: Final = timedelta(days=90)
SHORT_FOR: Final = timedelta(days=2)
_AUTHORITY_FOR: Final = timedelta(days=365)
_SKEW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What servers show; `authority_file` is what their clients trust."""

    authority_file: Path
    good: ssl.SSLContext
    short: ssl.SSLContext  # it ends in 2 days


def make_certificates(folder: Path, host: str, now: datetime) -> Certificates:
    """Write an authority and two certificates for `host` (and loopback) into an empty folder, with their keys."""
    folder.mkdir(mode=0o700)
    authority = folder / "ca.pem"
    key = _new_key()
    root = _signed("IntelGraph demo CA", key, None, (now - _SKEW, now + _AUTHORITY_FOR), host="")
    authority.write_bytes(_pem(root))
    issuer = (root, key)
    good = _context(folder, "good", issuer, host, (now - _SKEW, now + _GOOD_FOR))
    short = _context(folder, "short", issuer, host, (now - _GOOD_FOR, now + SHORT_FOR))
    return Certificates(authority, good, short)


def _context(
    folder: Path,
    name: str,
    issuer: "tuple[x509.Certificate, EllipticCurvePrivateKey]",
    host: str,
    period: tuple[datetime, datetime],
) -> ssl.SSLContext:
    from cryptography.hazmat.primitives import serialization

    key = _new_key()
    path = folder / f"{name}.pem"
    path.touch(mode=0o600)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + _pem(_signed(host, key, issuer, period, host=host)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return context


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _signed(
    subject: str,
    key: "EllipticCurvePrivateKey",
    issuer: "tuple[x509.Certificate, EllipticCurvePrivateKey] | None",
    period: tuple[datetime, datetime],
    *,
    host: str,
) -> "x509.Certificate":
    """A certificate for a host, or, without an issuer, an authority's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    signer, signing_key = (issuer[0].subject, issuer[1]) if issuer else (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
        .add_extension(
            x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .add_extension(_usage(is_authority=issuer is None), critical=True)
    )
    if host:
        names = [x509.DNSName(host), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(purposes, critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)
