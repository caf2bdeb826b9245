"""Comparable names: one raw name field in, its plain letters, its parts and its sound out.

Everything that compares names reads these forms and never the raw text, so both sides of a comparison have always been
cleaned in the same way (linkage handbook 4; defects D23–D33 of the sources handbook).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Words that are no part of anybody's name: titles, notes typed into the field (D31), placeholders (D32).
_TITLES = frozenset({"mr", "mrs", "miss", "ms", "mx", "dr", "rev", "revd", "prof", "sir"})
_NOTES = frozenset(
    {
        "deceased",
        "dec",
        "dcd",
        "rip",
        "duplicate",
        "dup",
        "dupe",
        "duplicated",
        "merged",
        "donotuse",
        "dnu",
        "error",
        "zz",
        "zzz",
        "nee",
        "formerly",
        "aka",
        "tel",
        "mob",
    }
)
# Notes that are surnames too: left out only beside another word.
_SOFT_NOTES = frozenset(
    {"see", "use", "record", "old", "known", "as", "ph", "note", "do", "not", "master", "lady", "dame"}
)
_PLACEHOLDERS = frozenset(
    {
        "baby",
        "babyboy",
        "babygirl",
        "boy",
        "girl",
        "infant",
        "male",
        "female",
        "twin",
        "triplet",
        "unknown",
        "notknown",
        "unk",
        "noname",
        "na",
        "nn",
        "none",
        "nil",
        "null",
        "unnamed",
        "unborn",
        "anon",
        "x",
        "xx",
        "xxx",
    }
)
_PLACEHOLDER_BEGINNINGS = frozenset({"baby", "twin", "triplet", "unknown", "infant", "female", "male"})
_PREFIXES = frozenset(
    {
        "o",
        "mc",
        "mac",
        "al",
        "ul",
        "el",
        "ur",
        "bin",
        "ibn",
        "abu",
        "st",
        "de",
        "la",
        "le",
        "du",
        "van",
        "von",
        "der",
        "den",
        "di",
        "da",
        "del",
        "dos",
        "das",
        "ter",
        "ten",
        "fitz",
        "ap",
    }
)
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "đ": "d",
        "ø": "o",
        "ı": "i",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "'": "",
        "’": "",
        "`": "",
        "´": "",
        "ʼ": "",
        "‘": "",
        "?": "",
    }
)
_ASIDE = re.compile(r"[(\[{*].*?(?:[)\]}*]|$)")
_ALSO = re.compile(r"\b(?:aka|a\.k\.a\.?|also known as|known as|n[ée]e|formerly)\b", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[^a-z]+")
_VOWELS = re.compile(r"[aeiouy]")
_REPEATED = re.compile(r"(.)\1+")
_SOUNDS = (
    ("ph", "f"),
    ("ck", "k"),
    ("kh", "k"),
    ("gh", "g"),
    ("sch", "s"),
    ("sh", "s"),
    ("cz", "s"),
    ("sz", "s"),
    ("ch", "c"),
    ("q", "k"),
    ("z", "s"),
    ("w", "v"),
    ("x", "ks"),
    ("dh", "d"),
    ("th", "t"),
)


@dataclass(frozen=True, slots=True)
class StandardName:
    """One name field, comparable. All parts are empty when the field holds nobody's name.

    Attributes:
        joined: all letters without separators (`obrien`, `smithjones`).
        tokens: its words, with particles joined to the word they belong to (`o brien` is one word).
        others: words after *also known as* and the like: other names of the same person.
    """

    joined: str
    tokens: tuple[str, ...]
    others: tuple[str, ...]


def standardise_name(text: str | None) -> StandardName:
    """Clean one name field.

    Accents, case, punctuation, titles and notes go; text that was read in the wrong encoding is mended where that is
    certain. Placeholders such as `Baby` or `Unknown` leave nothing, because they are nobody's name.

    Example:
        >>> standardise_name("O'Brien-Smith (DECEASED)").tokens
        ('obrien', 'smith')
    """
    if not text:
        return StandardName("", (), ())
    main, *also = _ALSO.split(_ASIDE.sub(" ", _mended(text)))
    tokens = _tokens(main)
    others = tuple(token for part in also for token in _tokens(part))
    if not tokens:
        tokens, others = others, ()
    return StandardName("".join(tokens), tokens, others)


def skeleton(word: str) -> str:
    """How a word sounds, roughly: first letter and consonants, so that Mohammed and Muhammad, Hussain and "
    "Hussein meet."""
    for written, sound in _SOUNDS:
        word = word.replace(written, sound)
    if not word:
        return ""
    first = "a" if word[0] in "aeiouy" else word[0]
    return first + _REPEATED.sub(r"\1", _VOWELS.sub("", word[1:]))


@cache
def nickname_groups() -> Mapping[str, tuple[int, ...]]:
    """Given name -> the numbers of the nickname groups it belongs to (`linkage/data/nicknames_en.csv`)."""
    groups: dict[str, list[int]] = {}
    with (files("linkage") / "data" / "nicknames_en.csv").open("r", encoding="utf-8") as lines:
        for number, line in enumerate(csv.reader(lines)):
            for name in {cell.strip().lower() for cell in line if cell.strip()}:
                groups.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in groups.items()}


def groups_of(names: Iterable[str]) -> tuple[int, ...]:
    """The nickname groups of any of `names`, in order, each once."""
    table = nickname_groups()
    return tuple(sorted({number for name in names for number in table.get(name, ())}))


def _mended(text: str) -> str:
    """Undo UTF-8 that was read as cp1252 (`JosÃ©`); text in which that is not certain stays as it is (D30)."""
    if "Ã" in text or "Å" in text or "Ä" in text:
        try:
            return text.encode("cp1252").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            return text
    return text


def _tokens(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = [w for w in _NOT_LETTERS.split(plain) if w and w not in _TITLES and w not in _NOTES]
    words = [w for w in words if w not in _SOFT_NOTES] or words
    if not words or "".join(words) in _PLACEHOLDERS or words[0] in _PLACEHOLDER_BEGINNINGS:
        return ()
    joined: list[str] = []
    prefix = ""
    for word in words:
        if word in _PREFIXES and word is not words[-1]:
            prefix += word
        else:
            joined.append(prefix + word)
            prefix = ""
    return (*joined, prefix) if prefix else tuple(joined)
