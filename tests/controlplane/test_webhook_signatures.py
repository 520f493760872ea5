"""Signatures of Standard Webhooks."""

import base64

import pytest

from controlplane.webhook_signatures import secret_bytes, sign, signed_headers, written_secret

# The example of the specification's reference implementations.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_signs_as_the_specification_does() -> None:
    id_, timestamp, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    assert sign(secret_bytes(SECRET), id_, timestamp, body) == SIGNATURE
    headers = signed_headers([secret_bytes(SECRET), b"k" * 32], id_, timestamp, body)
    assert headers["webhook-signature"].split(" ")[0] == SIGNATURE
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (id_, "1614265330")


def test_a_secret_is_read_as_it_is_written() -> None:
    assert secret_bytes(written_secret(b"k" * 32)) == b"k" * 32
    assert secret_bytes(SECRET.removeprefix("whsec_")) == secret_bytes(f" {SECRET}\n")


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_äöü", "guess!", "whsec_" + base64.b64encode(b"short").decode()])
def test_what_is_none_is_told_without_it(text: str) -> None:
    with pytest.raises(ValueError, match="a secret of webhooks") as told:
        secret_bytes(text)
    assert not text or text not in str(told.value)
