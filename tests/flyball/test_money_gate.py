"""What a changed price would have done, as a plan tells it, on a real Prometheus."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from controlplane.specfile import SourceFile
from flyball.money.declared import MoneyDeclared
from flyball.money.gate import effects
from flyball.money.reading import money_in
from tests.slo.evaluating import past, unix, utc

FIRST, LAST = utc(2026, 3, 1), utc(2026, 3, 4)
PRICES = """\
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: models}
spec:
  currency: USD
  items:
    - name: llm
      resource: token
      usage: {counter: gen_ai_client_token_usage_sum}
      by: [model]
      catalogue: genai-prices
      models: [MODELS]
"""


def declared(models: str) -> MoneyDeclared:
    return money_in([SourceFile("prices.yaml", PRICES.replace("MODELS", models).encode())]).declared


def test_a_model_that_is_not_listed_any_more_keeps_the_price_that_the_rules_give_it(tmp_path: Path) -> None:
    with past(tmp_path) as memory:
        times = np.arange(unix(FIRST), unix(LAST) + 1, 60)
        labels = {"gen_ai_request_model": "gpt-4o", "gen_ai_token_type": "input", "job": "a", "instance": "a:1"}
        memory.write({"__name__": "gen_ai_client_token_usage_sum", **labels}, times, (times - times[0]) * 100.0)
        found = effects(declared("gpt-4o"), declared("gpt-4o-mini"), memory.backend, LAST)
    assert found.revaluation is not None
    (item,) = found.revaluation.items
    assert item.old == item.new
    assert item.new == pytest.approx(Decimal(3 * 86_400 * 100) * Decimal("0.0000025"), rel=Decimal("0.001"))
