"""What a detector remembers between cycles: models, and what is open; from the store and to it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from alerts.anomaly.detector.model import Terms
from alerts.anomaly.episodes.packing import pack, unpack
from alerts.anomaly.episodes.state import NEVER, State
from alerts.anomaly.scoring.bank import Bank
from alerts.anomaly.scoring.chunk import GROUP_CHUNKS, HEAD_CHUNK, SERIES_CHUNKS, STORED_VERSION, Chunk, Misfit
from controlplane.anomaly_ports import AnomalyLog
from controlplane.model.anomaly import Episode, StoredModel


@dataclass(slots=True)
class Memory:
    """`state` is None while it is not known which series there are; `open` are the open episodes to make one of then.

    Models change as they score: one whose cycle was not stored is thrown away and taken from the store again.
    """

    series: Bank
    groups: Bank
    state: State | None = None
    open: list[Episode] = field(default_factory=list)
    misfits: Counter[Misfit] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """The last step that was judged; far in the past where none was."""
        return NEVER if self.state is None else self.state.index

    @property
    def banks(self) -> tuple[Bank, Bank]:
        """Both."""
        return self.series, self.groups

    @property
    def is_new(self) -> bool:
        """Whether there is no model at all."""
        return self.series.next_index is None


def memory_of(log: AnomalyLog, detector: str, digest: str, terms: Terms) -> Memory:
    """From the store, as far as it fits."""
    memory = Memory(Bank(terms, base=SERIES_CHUNKS), Bank(terms, base=GROUP_CHUNKS))
    memory.open = log.open_episodes(detector)
    numbers = log.chunks(detector)
    for bank, wanted in (
        (memory.series, [each for each in numbers if SERIES_CHUNKS <= each < GROUP_CHUNKS]),
        (memory.groups, [each for each in numbers if each >= GROUP_CHUNKS]),
    ):
        found = (log.model(detector, number) for number in wanted)  # one body at a time: each may be megabytes
        memory.misfits += bank.restore((each for each in found if each is not None), digest)
    memory.state = state_of(log, detector, digest, memory.misfits)
    if numbers and memory.is_new and not memory.misfits:
        memory.misfits[Misfit.MISSING] += 1
    return memory


def state_of(log: AnomalyLog, detector: str, digest: str, misfits: Counter[Misfit]) -> State | None:
    """Where all series of a detector stood after its last cycle; None where that is not known."""
    stored = log.model(detector, HEAD_CHUNK)
    if stored is None or stored.digest != digest or stored.version != STORED_VERSION:
        return None  # its models say so, too
    try:
        return unpack(stored.body)
    except ValueError:
        misfits[Misfit.DAMAGED] += 1
        return None


def stored_models(
    detector: str, digest: str, state: State, chunks: list[Chunk], at: datetime
) -> tuple[StoredModel, ...]:
    """What is put into the store after a cycle: chunks that were fitted, and where all series stand."""
    bodies = [(chunk.number, chunk.pack()) for chunk in chunks]
    bodies.append((HEAD_CHUNK, pack(state)))
    return tuple(StoredModel(detector, number, STORED_VERSION, digest, at, body) for number, body in bodies)
