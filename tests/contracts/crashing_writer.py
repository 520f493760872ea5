"""A process that writes and acknowledges until it is killed: `crashing_writer.py URL FIRST DIE_AT_STEP`.

Each transaction takes six steps. Step numbers count on through all transactions; before the step with number
DIE_AT_STEP the process kills itself, as the kernel would: without a word. A negative number leaves that to others.
"""

import itertools
import os
import signal
import sys

from controlplane.store import open_store
from tests.contracts.storing import NOW, event, firing, message

_url, _first, _die_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
_steps = itertools.count()


def _step() -> None:
    if next(_steps) == _die_at:
        os.kill(os.getpid(), signal.SIGKILL)


_store = open_store(_url)
for _number in itertools.count(_first):
    _name = f"n{_number:06d}"
    with _store.transaction() as _transaction:
        _step()
        _transaction.alerts.record(firing(_name), NOW)
        _step()
        _transaction.events.append(event(_name), NOW)
        _step()
        _transaction.outbox.enqueue(message(_name), NOW)
        _step()
        _transaction.audit.append(at=NOW, actor="writer", action="write", subject=_name, detail={"n": _number})
        _step()
    _step()
    os.write(1, f"{_number}\n".encode())  # acknowledged
