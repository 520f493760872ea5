"""How bodies of delivery events are stored: whatever is stored once must be readable for ever."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store import delivery_packing
from controlplane.store.delivery_packing import pack, unpack

WHAT_THE_FIRST_VERSION_STORED = bytes.fromhex("01c3639545122842306c4bcec4611f76ef82dc7f7889522d00")
BODY = (
    b'{"specversion":"1.0","id":"8b1","source":"https://ci","type":"dev.cdevents.change.merged.0.3.0","n":"\xc3\xa4"}'
)


@given(st.binary(max_size=12_000))
def test_a_body_comes_back_as_it_was(body: bytes) -> None:
    assert unpack(pack(body)) == body


def test_what_was_stored_stays_readable() -> None:
    assert unpack(WHAT_THE_FIRST_VERSION_STORED) == BODY
    assert sha256(delivery_packing._DICTIONARY).hexdigest()[:16] == "e462a43a8641401b", (
        "another dictionary needs another byte"
    )


def test_events_are_packed_well() -> None:
    event = {
        "specversion": "1.0", "id": "8b1ad1d1", "source": "https://github.com/acme/shop",
        "type": "dev.cdevents.service.deployed.0.3.0", "subject": "shop", "time": "2026-11-20T12:00:00Z",
        "data": {
            "context": {"specversion": "0.5.1", "id": "8b1ad1d1", "source": "https://github.com/acme/shop",
                        "type": "dev.cdevents.service.deployed.0.3.0", "timestamp": "2026-11-20T12:00:00Z"},
            "subject": {"id": "shop", "source": "https://github.com/acme/shop",
                        "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop@sha256:0123"}},
        },
    }  # fmt: skip
    body = json.dumps(event, separators=(",", ":")).encode()
    assert len(pack(body)) < len(body) / 3


@pytest.mark.parametrize(
    "stored", [b"", b"{}", b"\x02" + pack(BODY)[1:], pack(BODY)[:-3], pack(BODY)[:1], pack(BODY)[:9] + b"\xff" * 40]
)
def test_what_is_damaged_says_so(stored: bytes) -> None:
    with pytest.raises(ValueError, match="stored event"):
        unpack(stored)
