"""How Unleash's answers are read; what its server does is in tests/contracts/test_flag_stores.py."""

import pytest

from controlplane.ports import Permanent
from finops.flags.adapters.unleash_answers import Strategy, Toggle
from tests.contracts.flag_benches import declared, opened_unleash
from tests.finops.flags.serving import Reply, serving

SOME = {"name": "flexibleRollout", "parameters": {"rollout": "20", "stickiness": "default", "groupId": "g"}}
EVERYBODY = {"name": "flexibleRollout", "parameters": {"rollout": "100"}}


@pytest.mark.parametrize(
    ("toggle", "told"),
    [
        ({"strategies": []}, ""),
        ({"strategies": [{"name": "default"}]}, ""),
        ({"strategies": [SOME, EVERYBODY]}, ""),
        ({"strategies": [SOME]}, "some only"),
        ({"strategies": [{**EVERYBODY, "disabled": True}]}, "some only"),
        ({"strategies": [{**EVERYBODY, "constraints": [{"contextName": "userId"}]}]}, "some only"),
        ({"strategies": [{**EVERYBODY, "segments": [1]}]}, "some only"),
        ({"strategies": [{"name": "remoteAddress"}]}, "some only"),
        ({"strategies": [], "dependencies": [{"feature": "parent"}]}, "depends on another"),
    ],
    ids=["none", "default", "one for all", "rollout", "off", "constraint", "segment", "address", "parent"],
)
def test_a_flag_is_on_when_it_is_on_for_everybody(toggle: dict[str, object], told: str) -> None:
    read = Toggle.model_validate({"name": "f", "enabled": True, **toggle})
    if told:
        with pytest.raises(Permanent, match=told):
            read.value(declared("f"))
    else:
        assert read.value(declared("f")) is True
    assert Toggle.model_validate({"name": "f", "enabled": False, **toggle}).value(declared("f")) is False


@pytest.mark.parametrize(
    "variants",
    [[], [{"name": "a", "weight": 1000}], [{"name": "a", "weight": 500, "payload": {}}, {"name": "b", "weight": 500}]],
    ids=["none", "no payload", "shared"],
)
def test_a_flag_that_gives_no_one_text_is_told(variants: list[dict[str, object]]) -> None:
    strategy = Strategy.model_validate({**EVERYBODY, "variants": variants})
    with pytest.raises(Permanent, match="it gives no one value"):
        Toggle(name="f", enabled=True, strategies=[strategy]).value(declared("f", "text"))


@pytest.mark.parametrize("body", [b"[]", b'{"user": 3}', b"not JSON"])
def test_a_server_that_is_something_else_is_told(body: bytes) -> None:
    with serving(lambda request: Reply(200, body)) as url:
        opening = opened_unleash(url)
        for ask in (opening.store.read, opening.client.values):
            with pytest.raises(Permanent, match=r"no JSON|unknown shape"):
                ask([declared("a")])
