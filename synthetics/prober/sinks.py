"""Where results go."""

from typing import Protocol

from controlplane.model.check import CheckResult


class ResultSink(Protocol):
    """Takes results of a prober, in the order in which runs ended."""

    def put(self, result: CheckResult) -> None:
        """Take one. Called from the prober's event loop: quick, and without waiting for a network."""
        ...
