"""Standard Webhooks (https://www.standardwebhooks.com): how what we send is signed.

Headers `webhook-id`, `webhook-timestamp`, and `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body`, one per secret, by spaces. Secrets are written `whsec_` and base64 of 24 to 64 bytes.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def sign(secret: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """One signature."""
    signed = b".".join((id_.encode(), str(timestamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()}"


def signed_headers(secrets: Iterable[bytes], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers, with a signature for each secret, so that receivers may change theirs at their own time."""
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, id_, timestamp, body) for secret in secrets),
    }


def secret_bytes(text: str) -> bytes:
    """The secret as bytes. Raises ValueError, without the secret, for what is none."""
    try:
        secret = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"a secret of webhooks is {PREFIX} and base64") from None
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ValueError(f"a secret of webhooks has {_SHORTEST} to {_LONGEST} bytes, not {len(secret)}")
    return secret


def written_secret(secret: bytes) -> str:
    """The secret as its owner keeps it."""
    return f"{PREFIX}{base64.b64encode(secret).decode()}"
