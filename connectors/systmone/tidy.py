"""The working copy of SystmOne's text: cp1252 becomes UTF-8, control characters go, and both are counted (CTL-25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENCODING: Final = "cp1252"
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_UTF8: Final = tuple(bytes((code,)).decode(ENCODING, "replace").encode("utf-8") for code in range(256))
#: Each byte's kind: 0 stays as it is, 1 is a control character, 2 lies beyond ASCII, 3 is unknown to cp1252.
_KINDS: Final = bytes(
    3 if text == b"\xef\xbf\xbd" else 2 if code > 127 else int(code in _CONTROLS) for code, text in enumerate(_UTF8)
)
_STRIP: Final = 1 << 18  # what a core keeps at hand
_FEW: Final = 64  # up to one in so many bytes, bytes beyond ASCII are replaced one by one


@dataclass(frozen=True, slots=True)
class Tidied:
    """A block of the file as UTF-8, and what was changed in it."""

    content: bytes | memoryview
    controls: int
    undecodable: int
    is_ascii: bool


def tidied(block: bytes | memoryview) -> Tidied:
    """The block as UTF-8 without control characters; a byte that cp1252 does not know becomes U+FFFD."""
    import numpy as np

    data = np.frombuffer(block, np.uint8)
    # Bytes below 32 wrap around to the top, so that one comparison finds everything but plain ASCII.
    found = [
        np.flatnonzero(data[start : start + _STRIP] - np.uint8(32) > 95) + start
        for start in range(0, len(data), _STRIP)
    ]
    places = np.concatenate(found) if found else np.empty(0, np.int64)
    kinds = np.frombuffer(_KINDS, np.uint8)[data[places]]
    _, controls, beyond, undecodable = np.bincount(kinds, minlength=4).tolist()
    if controls:
        block = bytes(block).translate(None, _CONTROLS)
    if not beyond + undecodable:
        return Tidied(block, controls, 0, is_ascii=True)
    if controls or beyond > len(block) // _FEW:
        content = bytes(block).decode(ENCODING, "replace").encode("utf-8")
    else:
        content = _replaced(block, places[kinds > 1].tolist())
    return Tidied(content, controls, undecodable, is_ascii=False)


def _replaced(block: bytes | memoryview, places: list[int]) -> bytes:
    pieces: list[bytes | memoryview] = []
    done = 0
    for place in places:
        pieces += block[done:place], _UTF8[block[place]]
        done = place + 1
    return b"".join((*pieces, block[done:]))
