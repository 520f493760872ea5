"""One concern of a rule set each. A pass is a function from a `Subject` to rules, the same for one SLO and for a shard.

`slo.compiler` lists them in the order in which Prometheus must evaluate them.
"""

from collections.abc import Callable, Iterator

from controlplane.model.rule import Rule
from slo.passes.subject import Subject

Pass = Callable[[Subject], Iterator[Rule]]

__all__ = ["Pass", "Subject"]
