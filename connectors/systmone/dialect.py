"""Proves that bytes are SystmOne's dialect: every field quoted, the header's number of fields, the declared line end.

Two ways to the same answer. The fast one looks at a whole block at once: outside quotes there may be nothing but a
comma or, at every record's last field, the line end. Whatever it cannot vouch for goes to the exact one, a pattern
walking record by record, which alone says what is wrong and at which byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from connectors.base import refused

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Places = npt.NDArray[Any]

_FIELD: Final = rb'"[^"]*+(?:""[^"]*+)*+"'
_LONGEST_RECORD: Final = 256 << 20
_QUOTE, _COMMA = 0x22, 0x2C


def header_in(start: bytes, line_end: bytes, skipped: int) -> tuple[list[bytes], int] | None:
    """The quoted headings in the first record after `skipped` bytes, and where it ends; None when there is no such."""
    pattern = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+" + re.escape(line_end))
    found = pattern.match(start, skipped)
    return (re.findall(_FIELD, found.group()), found.end()) if found else None


class Dialect:
    """The shape of one file's records."""

    def __init__(self, name: str, width: int, line_end: bytes) -> None:
        self._name, self._width, self._line_end = name, width, line_end
        others = width - 1
        self._record = re.compile(_FIELD + rb"(?:," + _FIELD + rb"){%d}" % others + re.escape(line_end))
        self._unfinished = re.compile(
            rb"(?:" + _FIELD + rb",){0,%d}+(?:\"[^\"]*+(?:\"\"[^\"]*+)*+(?:\"\r?)?)?" % others
        )

    def whole_records(self, rest: bytes, chunks: Iterator[bytes], position: int) -> Iterator[tuple[memoryview, int]]:
        """Blocks of whole records, each with its number of records; `position` is the byte at which `rest` begins.

        Raises:
            DeliveryProblem: refused, naming the byte where the dialect breaks or the file is cut off.
        """
        buffer, size = rest, position + len(rest)
        while True:
            records, end = self._leading(buffer, position)
            if records:
                yield memoryview(buffer)[:end], records
            buffer, position = buffer[end:], position + end
            chunk = next(chunks, b"")
            if not chunk:
                break
            buffer += chunk
            size += len(chunk)
        if buffer:
            raise refused(
                "CUT_OFF",
                f"{self._name}: cut off at byte {size}, in the record that starts at byte {position}",
            )

    def _leading(self, buffer: bytes, position: int) -> tuple[int, int]:
        """How many whole records lie at the start of the buffer, and where they end."""
        vouched = self.vouched(buffer)
        if vouched is not None and len(buffer) - vouched[1] <= _LONGEST_RECORD:
            return vouched
        return self._walked(buffer, position)

    def vouched(self, buffer: bytes) -> tuple[int, int] | None:
        """The number of whole records at the start of the buffer and their end, when all of it is sure to be right.

        None when it is not, or when the buffer is one that only a walk through it can judge.
        """
        import numpy as np

        data = np.frombuffer(buffer, np.uint8)
        quotes = np.flatnonzero(data == _QUOTE)
        pairs = len(quotes) // 2
        if pairs == 0 or quotes[0] != 0:
            return (0, 0) if not buffer else None
        closing, gap = quotes[1 : 2 * pairs : 2], np.empty(pairs, np.int64)
        np.subtract(quotes[2 : 2 * pairs : 2], closing[:-1], out=gap[:-1])
        gap[-1] = (quotes[-1] if len(quotes) % 2 else len(buffer)) - closing[-1]
        gap -= 1
        if len(quotes) % 2 == 0:
            tail = buffer[int(closing[-1]) + 1 :]
            if self._line_end.startswith(tail) and tail != self._line_end:
                closing, gap = closing[:-1], gap[:-1]  # whether the field ends here, only what follows can tell
        ends = gap != 0  # a closing quote with another one at its heels is half of a doubled one
        if not ends.all():
            closing, gap = closing[ends], gap[ends]
        return self._counted(data, closing, gap)

    def _counted(self, data: Bytes, closing: Places, gap: Places) -> tuple[int, int] | None:
        """Whether what stands between the fields is what must stand there: `gap` bytes behind each closing quote."""
        width, line_end = self._width, self._line_end
        records = len(closing) // width
        whole = records * width
        mark = data[closing + 1]
        last = closing[width - 1 : whole : width]
        is_right = (
            (gap[:whole].reshape(records, width)[:, :-1] == 1).all()
            and (mark[:whole].reshape(records, width)[:, :-1] == _COMMA).all()
            and (gap[width - 1 : whole : width] == len(line_end)).all()
            and all((data[last + place] == code).all() for place, code in enumerate(line_end, start=1))
            and (gap[whole:] == 1).all()
            and (mark[whole:] == _COMMA).all()
        )
        if not is_right:
            return None
        return records, int(last[-1]) + 1 + len(line_end) if records else 0

    def _walked(self, buffer: bytes, position: int) -> tuple[int, int]:
        """The same, record by record; raises when what is left over cannot become a record."""
        match, records, end = self._record.scanner(buffer).match, 0, 0  # type: ignore[attr-defined]
        while found := match():
            records += 1
            end = found.end()
        rest = len(buffer) - end
        if rest:
            good = self._unfinished.match(buffer, end)
            if good is None or good.end() < len(buffer) or rest > _LONGEST_RECORD:
                broken_at = position + (good.end() if good else end)
                raise refused(
                    "WRONG_DIALECT",
                    f"{self._name}: quoting or number of fields breaks at byte {broken_at}, "
                    f"in the record that starts at byte {position + end}",
                )
        return records, end
