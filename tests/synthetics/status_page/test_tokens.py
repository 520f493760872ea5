"""Tokens and signatures."""

import base64

import pytest

from controlplane.webhook_signatures import sign
from synthetics.status_page.tokens import Keys, hashed

OLD, NEW = b"o" * 32, b"n" * 32


def test_signatures_are_those_of_standard_webhooks() -> None:
    """The vector that the specification's libraries share."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_link_that_was_sent_before_the_key_was_changed_still_works() -> None:
    token = Keys(OLD).unsubscribing("shop", "s1")
    assert Keys(NEW, [OLD]).ends(token, "shop", "s1")
    assert not Keys(NEW).ends(token, "shop", "s1")


@pytest.mark.parametrize(("page", "subscriber"), [("shop", "s2"), ("other", "s1"), ("shops1", ""), ("shop\x00s1", "")])
def test_a_token_is_good_for_one_subscriber_of_one_page(page: str, subscriber: str) -> None:
    keys = Keys(NEW)
    assert not keys.ends(keys.unsubscribing("shop", "s1"), page, subscriber)
    assert not keys.ends(keys.confirming("shop", "s1", ""), "shop", "s1")


def test_while_a_key_is_changed_deliveries_are_signed_with_both() -> None:
    secret = base64.b64decode(Keys(OLD).secret("shop", "s1").removeprefix("whsec_"))
    signatures = Keys(NEW, [OLD]).signature("shop", "s1", "m", 5, b"{}").split(" ")
    assert len(signatures) == 2
    assert sign(secret, "m", 5, b"{}") in signatures


def test_short_keys_are_refused_and_keys_are_not_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(b"short")
    assert "nnn" not in repr(Keys(NEW))


def test_any_text_can_be_offered_as_a_token() -> None:
    assert not Keys(NEW).ends("\ud800 ü \x00", "shop", "s1")
    assert len(hashed("\ud800")) == 64
