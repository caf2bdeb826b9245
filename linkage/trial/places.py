"""Postcodes of any country, addresses and contacts in one comparable form each (linkage handbook 4)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from domain.identifiers import parse_postcode

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_SHORT_FORMS = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "dr": "drive",
    "cl": "close", "crt": "court", "ct": "court", "cres": "crescent", "pl": "place", "pde": "parade", "sq": "square",
    "gdns": "gardens", "tce": "terrace", "hwy": "highway", "mt": "mount",
}  # fmt: skip
_NOTHING_SAID = frozenset({"unknown", "not known", "none", "na", "n a", "nil", "null", "nan", "nfa", "no fixed abode"})


@cache
def clean_text(value: str) -> str | None:
    """Words in plain small letters and digits, one space apart, usual short forms of streets written out."""
    folded = unicodedata.normalize("NFKD", value.lower().replace("'", "").replace("’", ""))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = [w for w in _NOT_PLAIN.split(plain) if w]
    # "st" in front is a saint, behind a word it is a street.
    text = " ".join(_SHORT_FORMS.get(w, w) if n else w for n, w in enumerate(words))
    return None if not text or text in _NOTHING_SAID else text


@cache
def clean_postcode(value: str) -> tuple[str | None, str | None, str | None]:
    """The postcode, its neighbourhood and its district.

    UK postcodes have one space and sector and outcode; others, and damaged ones, are cut by length, as most countries'
    codes narrow down from left to right. Pseudo postcodes (`ZZ99…`) are missing.
    """
    verdict = parse_postcode(value)
    if verdict.postcode:
        if verdict.postcode.startswith("ZZ99"):
            return None, None, None
        return verdict.postcode, verdict.postcode[:-2], verdict.postcode.split(" ")[0]
    text = re.sub(r"[^A-Z0-9]", "", value.upper())
    if len(text) < 3 or len(set(text)) == 1:
        return None, None, None
    if text.isdigit():
        return text, text[:-1], text[:2]
    if len(text) < 5:
        return text, None, text
    return f"{text[:-3]} {text[-3:]}", f"{text[:-3]} {text[-3]}", text[:-3]


def house_number(value: str) -> str | None:
    """Number and letter of a house without leading zeros, spaces or punctuation."""
    return re.sub(r"[^A-Z0-9]", "", value.upper()).lstrip("0") or None


def clean_telephone(value: str) -> str | None:
    """The last nine digits, so that country and trunk codes do not matter; missing when fewer than six."""
    digits = re.sub(r"\D", "", value)
    return digits[-9:] if len(digits) >= 6 and len(set(digits)) > 2 else None


def clean_email(value: str) -> str | None:
    """The address in small letters."""
    text = re.sub(r"\s", "", value.lower())
    return text if len(text) > 2 else None
