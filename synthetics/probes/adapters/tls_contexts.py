"""TLS as probes want it. A context costs more than a handshake, so each is made once per set of options and files."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from synthetics.probes.adapters.certificates import unverified_chain
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.modules import TLSOptions

_MOST_CONTEXTS: Final = 64
_Key = tuple[TLSOptions, tuple[str, ...], tuple[int, ...]]
_made: Final[dict[_Key, ssl.SSLContext]] = {}


class CertificateRefused(ssl.SSLCertVerificationError):
    """The chain was not believed; `chain` is what was shown nevertheless, DER, the server's own certificate first."""

    def __init__(self, error: ssl.SSLCertVerificationError, chain: tuple[bytes, ...]) -> None:
        super().__init__(*error.args)
        self.verify_code = error.verify_code
        self.verify_message = error.verify_message
        self.chain: Final = chain


class _Object(ssl.SSLObject):
    """As asyncio uses it."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise CertificateRefused(error, unverified_chain(self)) from None


class _Socket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            raise CertificateRefused(error, unverified_chain(self)) from None


def client_context(options: TLSOptions, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """A context that refuses what `options` refuse, offering `protocols` (ALPN); shared: change nothing in it.

    A refused certificate is raised as `CertificateRefused`, from sockets as from asyncio's streams. The name to check
    is the caller's to give: `server_hostname=options.server_name or host`. Raises ProbeFailed, a fault of the
    prober, when a file is not there or is none.
    """
    key = (options, tuple(protocols), _stamps(options))
    made = _made.get(key)
    if made is None:
        made = _make(options, protocols)
        if len(_made) >= _MOST_CONTEXTS:
            _made.pop(next(iter(_made)))
        _made[key] = made
    return made


def _stamps(options: TLSOptions) -> tuple[int, ...]:
    """What changes when one of the files is replaced."""
    stamps: list[int] = []
    for name in (options.ca_file, options.certificate_file, options.key_file):
        if name:
            try:
                found = Path(name).stat()
            except OSError as error:
                raise _unusable(name, error) from None
            stamps += (found.st_mtime_ns, found.st_size, found.st_ino)
    return tuple(stamps)


def _make(options: TLSOptions, protocols: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslobject_class = _Object
    context.sslsocket_class = _Socket
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file:
        try:
            context.load_verify_locations(cafile=options.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise _unusable(options.ca_file, error) from None
    else:
        context.load_default_certs()
    if options.certificate_file:
        try:
            # A key with a password would be asked for on the terminal.
            context.load_cert_chain(options.certificate_file, options.key_file or None, password=lambda: "")
        except OSError as error:
            raise _unusable(options.key_file or options.certificate_file, error) from None
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _unusable(name: str, error: OSError) -> ProbeFailed:
    why = "is no certificate, or no key of it" if isinstance(error, ssl.SSLError) else error.strerror or "unreadable"
    return ProbeFailed("tls", f"{Path(name).name}: {why}", is_fault=True)
