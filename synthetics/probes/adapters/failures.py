"""How a try ends when it does not succeed: one word for machines, a sentence for people."""

import errno
import ssl
from typing import Final

# Ours, not the target's: no descriptors, no memory, no ports, no right, no way out of this machine.
_OWN_FAULTS: Final = frozenset(
    (
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM,
        errno.ENETUNREACH, errno.ENETDOWN, errno.EAFNOSUPPORT,
    )
)  # fmt: skip
_RESET: Final = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
_DETAIL_LENGTH: Final = 300


class ProbeFailed(Exception):
    """The try is over. `reason` and `detail` as in `Attempt`; `is_fault`: our side could not even try."""

    def __init__(self, reason: str, detail: str, *, is_fault: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Final = reason
        self.detail: Final = detail[:_DETAIL_LENGTH]
        self.is_fault: Final = is_fault


def connecting_failed(error: OSError, to: str) -> ProbeFailed:
    """Why no connection came about; `to` is the address as it may be told."""
    if error.errno in _OWN_FAULTS:
        return ProbeFailed("connect", f"this prober cannot connect to {to}: {_said(error)}", is_fault=True)
    if isinstance(error, ConnectionRefusedError):
        return ProbeFailed("connect", f"{to} refuses connections")
    if isinstance(error, TimeoutError):  # the system gave up before we did
        return ProbeFailed("connect", f"{to} does not answer")
    return ProbeFailed("connect", f"no connection to {to}: {_said(error)}")


def talking_failed(error: OSError, doing: str) -> ProbeFailed:
    """Why a connection that stood did not last; `doing` goes on with "while": `the body was read`."""
    if isinstance(error, ssl.SSLError):
        return ProbeFailed("tls", f"TLS failed while {doing}: {tls_words(error)}")
    if isinstance(error, _RESET):
        return ProbeFailed("connection", f"the target closed the connection while {doing}")
    return ProbeFailed("connection", f"the connection broke while {doing}: {_said(error)}")


def handshake_failed(error: OSError) -> ProbeFailed:
    """Why TLS did not come about: `certificate` when it was refused, else `tls`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeFailed("certificate", f"the certificate is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return ProbeFailed("tls", f"the TLS handshake failed: {tls_words(error)}")
    if isinstance(error, _RESET):
        return ProbeFailed("tls", "the target closed the connection in the TLS handshake")
    return ProbeFailed("tls", f"the TLS handshake failed: {_said(error)}")


def tls_words(error: ssl.SSLError) -> str:
    """OpenSSL's own word for it, in lower case: `wrong version number`."""
    return (error.reason or _said(error)).replace("_", " ").lower()


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__
