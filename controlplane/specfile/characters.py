"""Characters that no YAML file may hold, and bytes that are none."""

import re
from typing import Final

from controlplane.specfile.faults import Fault

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|(?<=[\r\n])\ufeff")
_ESCAPED_BYTES: Final = range(0xDC80, 0xDD00)  # what `surrogateescape` makes of bytes that are not UTF-8
_MARK: Final = 0xFEFF
_BROKEN_UTF16: Final = 0xDFFF


def first_fault(text: str, start: int, end: int) -> Fault | None:
    """The first character of [start, end) that must not be there; None when all are fine."""
    match = _FORBIDDEN.search(text, start, end)
    if match is None:
        return None
    code = ord(match.group())
    at = match.start()
    if code in _ESCAPED_BYTES:
        return Fault(at, at + 1, f"byte 0x{code - 0xDC00:02x} is not UTF-8", "save the file as UTF-8", "encoding")
    if code == _BROKEN_UTF16:
        return Fault(at, at + 1, "the UTF-16 or UTF-32 text is broken here", "save the file as UTF-8", "encoding")
    if code == _MARK:
        return Fault(
            at, at + 1, "a byte order mark inside of the file", "remove it where files were joined", "encoding"
        )
    if code == 0:
        message = "a NUL character: the file is damaged, or neither UTF-8 nor marked as UTF-16"
        return Fault(at, at + 1, message, "save the file as UTF-8", "encoding")
    hint = f'write it as "\\x{code:02x}" in double quotes' if code <= 0xFF else ""
    return Fault(at, at + 1, f"the control character U+{code:04X} is not allowed", hint, "control-character")
