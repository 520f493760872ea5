"""Is a delivery from who it says? Comparisons take the same time whether they fit or not, and wherever they do not."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane import webhook_signatures
from exporters.events.translators import Refusal

TOLERANCE: Final = timedelta(minutes=5)  # Standard Webhooks: "a reasonable tolerance"; its libraries take five minutes
UNAUTHORIZED: Final = 401
_MOST_SIGNATURES: Final = 10  # of one delivery: each costs a comparison with each secret


def matches_any(given: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """Whether one of the given is one of the expected; all pairs are compared."""
    expected = list(expected)
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    return any(matches)


def header_bytes(text: str) -> bytes:
    """A header's bytes as they came: HTTP servers read them as Latin-1."""
    return text.encode("latin-1", errors="replace")


def check_hex(given: Iterable[str], prefix: str, body: bytes, secrets: Sequence[bytes]) -> Refusal | None:
    """Signatures that are a prefix and the hex of HMAC-SHA256 over the body."""
    said = [text.strip().encode(errors="replace") for text in given][:_MOST_SIGNATURES]
    if not any(said):
        return Refusal(UNAUTHORIZED, "the delivery is not signed: give the webhook its secret")
    made = [f"{prefix}{hmac.new(each, body, hashlib.sha256).hexdigest()}".encode() for each in secrets if each]
    return None if matches_any(said, made) else Refusal(UNAUTHORIZED, "no signature was made with our secret")


def check_token(headers: Mapping[str, str], secrets: Sequence[bytes], *, is_basic: bool = False) -> Refusal | None:
    """`Authorization: Bearer TOKEN`; with `is_basic` also `Basic`, whose password (or name, without one) is the token.

    The digests are compared, so that not even the length of a token shows.
    """
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    given = b""
    if scheme.lower() == "bearer":
        given = header_bytes(rest.strip())
    elif scheme.lower() == "basic" and is_basic:
        given = _password(rest)
    if not given:
        wanted = "a bearer token, or basic authentication with it as the password," if is_basic else "a bearer token"
        return Refusal(UNAUTHORIZED, f"{wanted} is needed: the secret for events")
    known = [hashlib.sha256(each).digest() for each in secrets if each]
    fits = matches_any([hashlib.sha256(given).digest()], known)
    return None if fits else Refusal(UNAUTHORIZED, "the token is not the secret for events")


def check_standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime) -> Refusal | None:
    """A signature by Standard Webhooks, and its age: what was signed long ago is a replay."""
    id_, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "").strip()
    if not id_ or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return Refusal(UNAUTHORIZED, "webhook-id or webhook-timestamp is missing or wrong: a signature needs both")
    given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
    keys = [key for secret in secrets if (key := _signing_key(secret))]
    made = [webhook_signatures.sign(key, id_, int(stamp), body) for key in keys]
    if not matches_any([each.encode(errors="replace") for each in given], [each.encode() for each in made]):
        return Refusal(UNAUTHORIZED, "no signature was made with our signing token")
    age = int(now.timestamp()) - int(stamp)
    if abs(age) <= TOLERANCE.total_seconds():
        return None
    when = f"{age} seconds ago" if age > 0 else f"{-age} seconds ahead of our clock"
    return Refusal(
        UNAUTHORIZED, f"it was signed {when}, more than {TOLERANCE.total_seconds():.0f}: replayed, or a clock is wrong"
    )


def _signing_key(secret: bytes) -> bytes:
    """The key of `whsec_` and base64; empty for what is none."""
    text = secret.decode(errors="replace").strip()
    if not text.startswith(webhook_signatures.PREFIX):
        return b""
    try:
        return webhook_signatures.secret_bytes(text)
    except ValueError:
        return b""


def _password(text: str) -> bytes:
    try:
        name, _, password = base64.b64decode(text.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return b""
    return password or name
