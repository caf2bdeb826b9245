"""The files of the national opt-out check: one ten-digit number a line, each followed by a comma (governance OPT-3).

The answer has the same form and holds only the numbers that may be used; one line of other text means that the whole
request was refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE = re.compile(rb"\d{10},")


class RequestRefused(Exception):
    """The service refused the request as a whole (usually for one invalid number). Carries no word of its text."""


class AnswerUnfit(ValueError):
    """The answer does not fit the request it claims to answer: nothing of it is believed (OPT-4)."""


def write_request(numbers: Iterable[str]) -> bytes:
    """The request file. Raises ValueError when a number is not ten digits: one would have the whole file refused."""
    lines = list(numbers)
    if any(not (len(n) == 10 and n.isascii() and n.isdigit()) for n in lines):
        raise ValueError("a number of the request is not ten digits")
    return "".join(f"{number},\n" for number in lines).encode("ascii")


def read_answer(content: bytes, asked: frozenset[str]) -> frozenset[str]:
    """The numbers that may be used.

    Raises:
        RequestRefused: the answer is a line of text.
        AnswerUnfit: it is cut off, names a number twice, or one that was not asked about.
    """
    lines = content.split(b"\n")
    if lines[-1]:  # no line feed at the end: a line of error text, or a file cut off
        if len(lines) == 1 and not _LINE.match(content):
            raise RequestRefused
        raise AnswerUnfit("the answer is cut off")
    if len(lines) == 2 and not _LINE.fullmatch(lines[0]):
        raise RequestRefused
    if any(not _LINE.fullmatch(line) for line in lines[:-1]):
        raise AnswerUnfit("a line of the answer is not a number and a comma")
    numbers = [line[:10].decode("ascii") for line in lines[:-1]]
    if len(set(numbers)) != len(numbers) or not asked.issuperset(numbers):
        raise AnswerUnfit("the answer names a number twice, or one that was not asked about")
    return frozenset(numbers)
