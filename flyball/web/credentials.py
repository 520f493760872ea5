"""Whether a request brings the right secret, compared in constant time."""

import base64
import binascii
import hashlib
import hmac

from flyball.settings import Secret


def bearer_matches(authorization: str, secret: Secret) -> bool:
    """Whether the header is `Bearer` and the secret."""
    scheme, _, given = authorization.strip().partition(" ")
    return scheme.lower() == "bearer" and _same(given.strip(), secret)


def console_matches(authorization: str, secret: Secret) -> bool:
    """Whether the header is `Bearer` and the secret, or `Basic` with the secret as the password of any user."""
    scheme, _, given = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return bearer_matches(authorization, secret)
    try:
        decoded = base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return _same(decoded.partition(":")[2], secret)


def _same(given: str, secret: Secret) -> bool:
    # Starlette decodes headers as Latin-1; digests make the comparison independent of both lengths.
    candidates = {given.encode(errors="replace"), given.encode("latin-1", errors="replace")}
    expected = hashlib.sha256(secret.reveal().encode()).digest()
    matches = [hmac.compare_digest(hashlib.sha256(candidate).digest(), expected) for candidate in candidates]
    return any(matches)
