"""Who is believed: signatures, tokens, and their age."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from controlplane.webhook_signatures import signed_headers, written_secret
from exporters.events.translators import Refusal
from tests.exporters.events.translating.payloads import NOW, SENDERS, sender

BODY = '{"zen": "Keep it logically awesome. ✓"}'.encode()
OLD, NEW = b"old-secret", "new-secret-é".encode()  # while a secret is being changed
KEY = bytes(range(32))
BY_TOKEN = ["argocd", "argo-rollouts", "flagger", "alertmanager"]


def asked(
    name: str, headers: Mapping[str, str], secrets: tuple[bytes, ...] = (OLD, NEW), now: datetime = NOW
) -> Refusal | None:
    return sender(name).authenticate(headers, BODY, secrets, now)


def mac(secret: bytes, body: bytes = BODY) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def is_refused(refusal: Refusal | None) -> bool:
    """401, with a sentence that holds no secret and no signature."""
    if refusal is None:
        return False
    secrets = [OLD.decode(), NEW.decode(), mac(OLD), mac(NEW), written_secret(KEY)]
    assert refusal.status == 401
    assert refusal.message
    assert not any(each in refusal.message for each in secrets)
    return True


# --- signatures over the body -----------------------------------------------------------------------------------------
SIGNED = [("github", "x-hub-signature-256", "sha256="), ("pagerduty", "x-pagerduty-signature", "v1=")]


@pytest.mark.parametrize(("name", "header", "prefix"), SIGNED)
def test_a_signature_with_any_of_the_secrets_is_believed(name: str, header: str, prefix: str) -> None:
    for secret in (OLD, NEW):
        assert asked(name, {header: f"{prefix}{mac(secret)}"}) is None


@pytest.mark.parametrize(("name", "header", "prefix"), SIGNED)
def test_anything_else_is_not(name: str, header: str, prefix: str) -> None:
    forged = [
        "", prefix, mac(OLD), f"{prefix}{mac(b'guess')}", f"{prefix}{mac(OLD, BODY + b' ')}",
        f"{prefix}{mac(OLD)[:-1]}", f"{prefix}{mac(OLD)}0", f"{prefix}é", f"{prefix}{mac(b'')}",
    ]  # fmt: skip
    for signature in forged:
        assert is_refused(asked(name, {header: signature}))
        assert is_refused(asked(name, {header: signature}, (b"", OLD)))
    assert is_refused(asked(name, {}))
    assert is_refused(asked(name, {header: f"{prefix}{mac(OLD)}"}, ()))


def test_githubs_older_signature_is_not_believed() -> None:
    old = hmac.new(OLD, BODY, hashlib.sha1).hexdigest()
    assert is_refused(asked("github", {"x-hub-signature": f"sha1={old}"}))


def test_pagerduty_signs_once_for_each_of_its_secrets() -> None:
    assert asked("pagerduty", {"x-pagerduty-signature": f"v1={mac(b'theirs')}, v1={mac(NEW)}"}) is None
    many = ",".join([f"v1={mac(b'theirs')}"] * 10 + [f"v1={mac(NEW)}"])
    assert is_refused(asked("pagerduty", {"x-pagerduty-signature": many}))  # more than anybody sends


# --- tokens -----------------------------------------------------------------------------------------------------------
def basic(text: bytes) -> str:
    return f"Basic {base64.b64encode(text).decode()}"


@pytest.mark.parametrize("name", BY_TOKEN)
def test_a_token_is_believed_however_it_is_sent(name: str) -> None:
    for authorization in ("Bearer old-secret", "bearer  old-secret ", basic(b"any:old-secret"), basic(b"old-secret:")):
        assert asked(name, {"authorization": authorization}) is None


@pytest.mark.parametrize("name", BY_TOKEN)
def test_no_other_is(name: str) -> None:
    forged = [
        "", "Bearer", "Bearer ", "Bearer old-secre", "Bearer old-secret2", "Digest old-secret", "old-secret",
        basic(b"old-secret:wrong"), basic(b":"), "Basic ###", basic(b"any:"),
    ]  # fmt: skip
    for authorization in forged:
        assert is_refused(asked(name, {"authorization": authorization}))
        assert is_refused(asked(name, {"authorization": authorization}, (b"", OLD)))
    assert is_refused(asked(name, {}))


def test_gitlabs_token_is_believed_as_a_whole() -> None:
    assert asked("gitlab", {"x-gitlab-token": "old-secret"}) is None
    assert asked("gitlab", {"x-gitlab-token": NEW.decode("latin-1")}) is None  # as an HTTP server reads it
    for forged in ("", "old-secre", "old-secret2", "é"):
        assert is_refused(asked("gitlab", {"x-gitlab-token": forged}))
        assert is_refused(asked("gitlab", {"x-gitlab-token": forged}, (b"", OLD)))
    assert is_refused(asked("gitlab", {"authorization": "Bearer old-secret"}))


# --- GitLab's signing token -------------------------------------------------------------------------------------------
SIGNING = (OLD, written_secret(KEY).encode())


def signed(at: datetime = NOW, body: bytes = BODY, key: bytes = KEY, id_: str = "f5e5f430") -> dict[str, str]:
    return signed_headers([b"another key of 24 bytes!", key], id_, int(at.timestamp()), body)


def test_gitlabs_signature_is_believed_while_it_is_fresh() -> None:
    for age in (timedelta(0), timedelta(minutes=5), -timedelta(minutes=5)):
        assert asked("gitlab", signed(NOW - age), SIGNING) is None


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1), timedelta(days=9)])
def test_one_that_is_old_is_a_replay(age: timedelta) -> None:
    refusal = asked("gitlab", signed(NOW - age), SIGNING)
    assert is_refused(refusal)
    assert refusal is not None
    assert ("ahead of our clock" if age < timedelta(0) else "seconds ago") in refusal.message


@pytest.mark.parametrize(
    "headers",
    [
        signed(body=b"other"),
        signed(key=b"some other key of 32 bytes......"),
        {**signed(), "webhook-id": "other"},
        {**signed(), "webhook-id": ""},
        {**signed(), "webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {**signed(), "webhook-timestamp": "now"},
        {**signed(), "webhook-timestamp": "٣"},
        {**signed(), "webhook-timestamp": "9" * 40},
        {**signed(), "webhook-signature": "v1,"},
        {**signed(), "webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
    ],
)
def test_a_forged_one_is_not_believed(headers: dict[str, str]) -> None:
    assert is_refused(asked("gitlab", headers, SIGNING))


def test_a_bad_signature_is_not_made_good_by_a_token() -> None:
    assert is_refused(asked("gitlab", {**signed(body=b"other"), "x-gitlab-token": "old-secret"}, SIGNING))


def test_a_signing_token_that_is_none_signs_nothing() -> None:
    headers = signed_headers([b""], "f5e5f430", int(NOW.timestamp()), BODY)
    for secret in (b"whsec_", b"whsec_###", b"whsec_c2hvcnQ="):
        assert is_refused(asked("gitlab", headers, (secret,)))


def test_every_sender_is_known_by_its_name() -> None:
    assert sorted(SENDERS) == sorted([*BY_TOKEN, "github", "gitlab", "pagerduty"])
    assert all(each.name == name for name, each in SENDERS.items())
