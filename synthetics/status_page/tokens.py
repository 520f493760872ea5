"""Tokens of links and secrets of webhooks: made from a page's key when they are needed, and kept nowhere.

A key is at least 32 random bytes. When it is changed, the former ones still open links that were sent.
Signatures are those of Standard Webhooks, with the secret of the subscriber.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from controlplane.webhook_signatures import sign, written_secret

LEAST_BYTES: Final = 32


class Keys:
    """The key that makes tokens, and those that may still open them."""

    def __init__(self, current: bytes, former: Sequence[bytes] = ()) -> None:
        if any(len(key) < LEAST_BYTES for key in (current, *former)):
            raise ValueError(f"a key of status pages has at least {LEAST_BYTES} bytes")
        self._all: Final = (current, *former)

    def __repr__(self) -> str:
        return "Keys(…)"

    def confirming(self, page: str, subscriber: str, nonce: str) -> str:
        """What opens the link that confirms a subscription."""
        return _token(self._all[0], "confirm", page, subscriber, nonce)

    def unsubscribing(self, page: str, subscriber: str) -> str:
        """What opens the link that ends it, for as long as the key is known."""
        return _token(self._all[0], "unsubscribe", page, subscriber)

    def ends(self, token: str, page: str, subscriber: str) -> bool:
        """Whether the token ends this subscription."""
        given = token.encode(errors="replace")
        made = [_token(key, "unsubscribe", page, subscriber).encode() for key in self._all]
        return any(hmac.compare_digest(each, given) for each in made)

    def secret(self, page: str, subscriber: str) -> str:
        """With what a webhook's deliveries are signed, as its owner keeps it: `whsec_…`."""
        return written_secret(_secret(self._all[0], page, subscriber))

    def signature(self, page: str, subscriber: str, id_: str, timestamp: int, body: bytes) -> str:
        """The header `webhook-signature`; of every key, so that owners may change at their own time."""
        return " ".join(sign(_secret(key, page, subscriber), id_, timestamp, body) for key in self._all)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _token(key: bytes, purpose: str, *parts: str) -> str:
    digest = hmac.new(key, "\x00".join((purpose, *parts)).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _secret(key: bytes, page: str, subscriber: str) -> bytes:
    return hmac.new(key, f"webhook\x00{page}\x00{subscriber}".encode(), hashlib.sha256).digest()
