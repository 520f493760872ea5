"""Who asks: by the console's password or a token of their own, and what they may do. Tokens are hashed at rest."""

import base64
import binascii
import hashlib
import hmac
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.follow_up import AccessToken, Role
from controlplane.ports import Clock, Permanent, Store, Transient
from flyball.settings import Secret
from flyball.web.credentials import same_secret

TOKEN_BYTES: Final = 32
TOKEN_PREFIX: Final = "fbt_"  # noqa: S105 -- so that scanners of leaked secrets can tell what it is
FRESH: Final = timedelta(seconds=5)  # a revoked token opens nothing after that
KEPT: Final = timedelta(minutes=10)  # while the database is away, those seen lately still come in
_MOST_REMEMBERED: Final = 1000
_CSRF: Final = b"flyball console form"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `csrf` is what their forms must bring; empty for programs, whose header no form can send."""

    name: str
    role: Role
    csrf: str

    def may(self, role: Role) -> bool:
        """Whether they may do what needs this role."""
        return self.role.rank >= role.rank


def digest_of(token: str) -> str:
    """What is kept of a token. 256 random bits are not guessed, so that it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class Access:
    """Tells who a request is from. Without a console password and without tokens everybody who reaches us may all."""

    def __init__(self, store: Store, console_token: Secret | None, clock: Clock, random_key: bytes) -> None:
        self._store = store
        self._console_token = console_token
        self._clock = clock
        self._random_key = random_key
        self._seen: OrderedDict[str, tuple[datetime, AccessToken | None]] = OrderedDict()
        self._any: tuple[datetime, bool] | None = None
        self._lock = threading.Lock()
        with suppress(Transient):  # while the database answers: later it may be away, and pages must open all the same
            self._has_tokens()

    def principal(self, authorization: str) -> Principal | None:
        """Who brings this header; None when they must not come in. Raises `Transient` when that cannot be told now."""
        secret, user, is_program = _given(authorization)
        if self._console_token is not None and secret and same_secret(secret, self._console_token):
            return Principal(user or "console", Role.ADMIN, self._csrf(secret, is_program))
        token = self._token(digest_of(secret)) if secret else None
        now = self._clock.now()
        if token is not None and token.revoked_at is None and (token.expires_at is None or now < token.expires_at):
            return Principal(token.name, token.role, self._csrf(secret, is_program))
        if self._console_token is None and not self._has_tokens():
            return Principal("local", Role.ADMIN, self._csrf("", is_program=False))
        return None

    def _csrf(self, secret: str, is_program: bool) -> str:
        if is_program:
            return ""
        key = secret.encode() if secret else self._random_key
        return hmac.new(key, _CSRF, hashlib.sha256).hexdigest()

    def _token(self, digest: str) -> AccessToken | None:
        now = self._clock.now()
        with self._lock:
            known = self._seen.get(digest)
        if known and timedelta(0) <= now - known[0] < FRESH:
            return known[1]
        try:
            with self._store.transaction(read_only=True) as transaction:
                found = transaction.access.token_of(digest)
        except (Transient, Permanent) as error:
            if known and known[1] is not None and timedelta(0) <= now - known[0] < KEPT:
                return known[1]
            raise Transient(f"the database does not say whose token that is: {error}") from error
        with self._lock:
            self._seen[digest] = (now, found)
            self._seen.move_to_end(digest)
            while len(self._seen) > _MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return found

    def _has_tokens(self) -> bool:
        now = self._clock.now()
        if self._any and timedelta(0) <= now - self._any[0] < FRESH:
            return self._any[1]
        try:
            with self._store.transaction(read_only=True) as transaction:
                found = any(token.revoked_at is None for token in transaction.access.tokens())
        except (Transient, Permanent) as error:
            if self._any:
                return self._any[1]
            raise Transient(f"the database does not say whether tokens are needed: {error}") from error
        self._any = (now, found)
        return found


def _given(authorization: str) -> tuple[str, str, bool]:
    """The secret that a header brings, the user's name beside it, and whether it is a program's (`Bearer`)."""
    scheme, _, given = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return given.strip(), "", True
    if scheme.lower() != "basic":
        return "", "", False
    try:
        decoded = base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", "", False
    user, _, secret = decoded.partition(":")
    return secret, "".join(filter(str.isprintable, user))[:100], False
