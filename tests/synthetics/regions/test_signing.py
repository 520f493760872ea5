"""Signatures of reports: who may report, for whom, and when."""

import hashlib
import hmac
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.regions.signing import Genuineness, Keys, Signed, sign, signing_key
from tests.contracts.checking import NOON
from tests.synthetics.regions.reporting import OTHER_TOKEN, TOKEN

BODY = b'{"version":1}'
KEYS = Keys([("eu", TOKEN), ("us", OTHER_TOKEN)])
SECOND = timedelta(seconds=1)


def signed(body: bytes = BODY, *, token: str = TOKEN, region: str = "eu", now: datetime = NOON) -> Signed:
    headers = sign(signing_key(token, region), region=region, prober="p1", sequence=17, body=body, now=now)
    return Signed.of({name.lower(): value for name, value in headers.items()})


def test_a_report_is_genuine_within_five_minutes_of_its_time() -> None:
    for seconds in (-300, 0, 300):
        assert (
            KEYS.verify(signed(now=NOON.replace(microsecond=0)), BODY, NOON.replace(microsecond=0) + seconds * SECOND)
            is Genuineness.GENUINE
        )
    for seconds in (-302, 302, 86_400):
        assert KEYS.verify(signed(), BODY, NOON + seconds * SECOND) is Genuineness.REPLAYED


def test_the_worked_example_of_the_documentation_holds() -> None:
    key = hmac.new(b"0123456789abcdef0123456789abcdef", b"flyball-report-key-v1\neu", hashlib.sha256).digest()
    said = "\n".join(
        (
            "flyball-report-v1",
            "POST",
            "/hooks/probes",
            "eu",
            "p1",
            "17",
            "1796040000",
            hashlib.sha256(b"{}").hexdigest(),
        )
    )
    expected = "v1=" + hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
    at = datetime.fromtimestamp(1796040000, NOON.tzinfo)
    headers = sign(
        signing_key("0123456789abcdef0123456789abcdef", "eu"), region="eu", prober="p1", sequence=17, body=b"{}", now=at
    )
    assert headers == {
        "X-Flyball-Region": "eu",
        "X-Flyball-Prober": "p1",
        "X-Flyball-Sequence": "17",
        "X-Flyball-Timestamp": "1796040000",
        "X-Flyball-Signature": expected,
    }
    assert expected == "v1=28903465743be998f68d024c6f38914a1d253bde65276838ab301e6a1813bdb1"


@pytest.mark.parametrize("name", [field.name for field in fields(Signed)])
def test_no_header_can_be_changed(name: str) -> None:
    good = signed()
    changed = {
        "region": "us",
        "prober": "p2",
        "sequence": "18",
        "timestamp": "1796040001",
        "signature": "v1=" + "0" * 64,
    }
    for value in (changed[name], "", "ü", " ", "9" * 400, getattr(good, name) + "\n"):
        assert KEYS.verify(replace(good, **{name: value}), BODY, NOON) is Genuineness.FORGED


def test_neither_the_body_nor_its_packing_can_be_changed() -> None:
    assert KEYS.verify(signed(), BODY + b" ", NOON) is Genuineness.FORGED


def test_a_region_cannot_sign_for_another() -> None:
    assert KEYS.verify(signed(token=OTHER_TOKEN), BODY, NOON) is Genuineness.FORGED
    assert KEYS.verify(signed(region="nowhere"), BODY, NOON) is Genuineness.FORGED
    assert Keys([]).verify(signed(), BODY, NOON) is Genuineness.FORGED


def test_a_forged_report_out_of_time_is_forged_not_replayed() -> None:
    assert KEYS.verify(signed(token=OTHER_TOKEN), BODY, NOON + timedelta(days=1)) is Genuineness.FORGED


def test_a_region_may_have_two_tokens_while_one_replaces_the_other() -> None:
    both = Keys([("eu", TOKEN), ("eu", OTHER_TOKEN)])
    for token in (TOKEN, OTHER_TOKEN):
        assert both.verify(signed(token=token), BODY, NOON) is Genuineness.GENUINE
    assert both.regions == {"eu"}


def test_a_token_that_could_be_guessed_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="the token of region eu is shorter than 32 bytes") as caught:
        Keys([("eu", "hunter2")])
    assert "hunter2" not in str(caught.value)


@given(st.builds(Signed, *[st.text(max_size=80)] * 5), st.binary(max_size=50))
def test_whatever_comes_is_judged_without_an_exception(headers: Signed, body: bytes) -> None:
    assert KEYS.verify(headers, body, NOON) is Genuineness.FORGED
