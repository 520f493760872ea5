"""A process that sets flags in a flagd file and kills itself before a line: `dying_writer.py FILE WRITE_ID DIE_AT`.

Lines are counted through all of the adapter's modules, as the kernel would strike: between any two statements.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from controlplane.model.source import SourcePosition
from finops.flags.adapters.flagd_file import FlagdFile
from finops.flags.model import DeclaredFlag, FlagType, FlagWrite, WriteNote

_path, _id, _left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
_traced = ("flagd_file.py", "file_replacing.py", "flagd_text.py")


def _trace(frame: FrameType, event: str, argument: Any) -> Any:
    global _left
    if not frame.f_code.co_filename.endswith(_traced):
        return None
    if event == "line":
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return _trace


_flags = [DeclaredFlag(name, FlagType.BOOLEAN, False, "", SourcePosition("", 1, 1)) for name in ("a", "b")]
_store = FlagdFile(_path)
_seen = _store.read(_flags)
_writes = [FlagWrite(_seen[flag.name], not _seen[flag.name].value) for flag in _flags]
sys.settrace(_trace)
_store.write(_writes, WriteNote("flyball", "why", _id))
sys.settrace(None)
print(_left)
