"""The working copy of SystmOne's text: cp1252 becomes UTF-8, control characters go, and both are counted (CTL-25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENCODING: Final = "cp1252"
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_UTF8: Final = tuple(bytes((code,)).decode(ENCODING, "replace").encode("utf-8") for code in range(256))
_UNDECODABLE: Final = bytes(code for code in range(256) if _UTF8[code] == "\ufffd".encode())
_FEW: Final = 64  # up to one in so many bytes, bytes beyond ASCII are replaced one by one


@dataclass(frozen=True, slots=True)
class Tidied:
    """A block of the file as UTF-8, and what was changed in it."""

    content: bytes
    controls: int
    undecodable: int
    is_ascii: bool


def tidied(block: bytes) -> Tidied:
    """The block as UTF-8 without control characters; a byte that cp1252 does not know becomes U+FFFD."""
    import numpy as np

    data = np.frombuffer(block, np.uint8)
    # Bytes below 32 wrap around to the top, so that one comparison finds everything but plain ASCII.
    places = np.flatnonzero(data - np.uint8(32) > 95)
    codes = data[places]
    controls = int(np.isin(codes, list(_CONTROLS)).sum())
    places = places[codes > 127]
    if controls:
        block = block.translate(None, _CONTROLS)
    if not len(places):
        return Tidied(block, controls, 0, is_ascii=True)
    undecodable = int(np.isin(codes, list(_UNDECODABLE)).sum())
    if controls or len(places) > len(block) // _FEW:
        content = block.decode(ENCODING, "replace").encode("utf-8")
    else:
        content = _replaced(block, places.tolist())
    return Tidied(content, controls, undecodable, is_ascii=False)


def _replaced(block: bytes, places: list[int]) -> bytes:
    pieces, done = [], 0
    for place in places:
        pieces += block[done:place], _UTF8[block[place]]
        done = place + 1
    return b"".join((*pieces, block[done:]))
