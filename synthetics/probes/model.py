"""A probe: what is asked, how, how often, from where, and what must hold of the answer."""

from dataclasses import dataclass, field
from datetime import timedelta

from controlplane.model.source import SourcePosition
from synthetics.probes.modules import Assertion, Module


@dataclass(frozen=True, slots=True)
class ProbeModule:
    """How something is asked. `name` is unique in a workspace; `timeout` None leaves it to who asks.

    `source` is None for those that are built in.
    """

    name: str
    module: Module
    assertions: tuple[Assertion, ...] = ()
    timeout: timedelta | None = None
    source: SourcePosition | None = field(default=None, compare=False)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """Something that is asked in turns. `name` is unique in a workspace.

    `target` may hold `${env:NAME}`, as headers and bodies of the module may. `regions` empty: every declared region.
    `down_regions` is how many regions must say down to make it global; None: the rule's own majority. `module_name`
    is the module that the file names; empty when it says the protocol itself.
    """

    name: str
    target: str
    module: Module
    source: SourcePosition = field(compare=False)
    assertions: tuple[Assertion, ...] = ()
    interval: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=10)
    regions: tuple[str, ...] = ()
    down_regions: int | None = None
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    module_name: str = ""
