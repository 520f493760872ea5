"""The signed webhook against the reference of its other side."""

import base64
import json
from typing import Any

import pytest

from controlplane.ports import Permanent
from finops.flags.adapters.webhook import Webhook, signature
from finops.flags.model import FlagState, FlagWrite, WriteNote
from finops.flags.ports import Conflict
from tests.contracts.flag_benches import NOW, Clock, declared
from tests.finops.flags.serving import Reply, Request, serving
from tests.finops.flags.webhook_receiver import SECRET, Receiver


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the Standard Webhooks libraries' own tests."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["whsec_AAAA", "tiny", "whsec_no base64 at all!"])
def test_a_secret_that_is_too_short_or_broken_is_refused_without_telling_it(secret: str) -> None:
    with pytest.raises(Permanent, match="secret") as told:
        Webhook("http://127.0.0.1:9", secret=secret, clock=Clock())
    assert secret.removeprefix("whsec_") not in str(told.value)


def test_old_requests_and_other_secrets_get_nowhere() -> None:
    receiver = Receiver(NOW.timestamp() + 301)
    receiver.edit("a", False)
    with serving(receiver) as url:
        for secret in (SECRET, "a secret of somebody else"):
            with pytest.raises(Permanent, match="credentials"):
                Webhook(url, secret=secret, clock=Clock()).read([declared("a")])


def test_a_write_that_is_sent_again_is_known_by_its_id() -> None:
    ids: list[str] = []
    receiver = Receiver(NOW.timestamp())
    receiver.edit("a", False)

    def noting(request: Request) -> Reply:
        ids.append(request.headers["webhook-id"])
        return receiver(request)

    with serving(noting) as url:
        store = Webhook(url, secret=SECRET, clock=Clock())
        seen = store.read([declared("a")])["a"]
        store.write([FlagWrite(seen, True)], WriteNote("flyball", "why", "w1"))
        store.write([FlagWrite(seen, True)], WriteNote("flyball", "why", "w1"))
        store.write([FlagWrite(store.read([declared("a")])["a"], False)], WriteNote("flyball", "why", "w1"))
    assert ids[1] == ids[2]
    assert len(set(ids)) == 4
    assert receiver.flags["a"]["value"] is False


@pytest.mark.parametrize("body", ["[]", '{"flags": []}', '{"flags": {"a": 3}}', '{"flags": {"a": {"value": 1.5}}}'])
def test_an_answer_of_another_shape_is_told(body: str) -> None:
    with serving(lambda request: Reply(200, body.encode())) as url, pytest.raises(Permanent, match=r"shape|type"):
        Webhook(url, secret=SECRET, clock=Clock()).read([declared("a")])


@pytest.mark.parametrize("answer", [{}, {"conflicts": "a"}, {"conflicts": ["other"]}, []], ids=range(4))
def test_a_conflict_that_names_nothing_is_a_conflict(answer: Any) -> None:
    with serving(lambda request: Reply(409, json.dumps(answer).encode())) as url:
        store = Webhook(url, secret=SECRET, clock=Clock())
        with pytest.raises(Conflict, match="changed a behind"):
            store.write([FlagWrite(FlagState("a", False), True)], WriteNote("flyball", "why"))
