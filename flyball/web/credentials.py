"""Whether a request brings the right secret, compared in constant time."""

import hashlib
import hmac

from flyball.settings import Secret


def bearer_matches(authorization: str, secret: Secret) -> bool:
    """Whether the header is `Bearer` and the secret."""
    scheme, _, given = authorization.strip().partition(" ")
    return scheme.lower() == "bearer" and same_secret(given.strip(), secret)


def same_secret(given: str, secret: Secret) -> bool:
    """Whether they are the same, told in constant time."""
    # Starlette decodes headers as Latin-1; digests make the comparison independent of both lengths.
    candidates = {given.encode(errors="replace"), given.encode("latin-1", errors="replace")}
    expected = hashlib.sha256(secret.reveal().encode()).digest()
    matches = [hmac.compare_digest(hashlib.sha256(candidate).digest(), expected) for candidate in candidates]
    return any(matches)
