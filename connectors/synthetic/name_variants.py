"""Ways in which one name is written differently: hyphens, spellings from other alphabets, slips, lost accents."""

from __future__ import annotations

import random
import unicodedata
from typing import Final

_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "Mohammed": ("Mohamed", "Muhammad", "Mohammad", "Mohd"), "Muhammad": ("Mohammed", "Mohamed", "Muhammed"),
    "Mohammad": ("Mohammed", "Muhammad", "Mohamad"), "Mohamed": ("Mohammed", "Maxamed", "Mohamud"),
    "Hussain": ("Hussein", "Husain", "Hossain"), "Hussein": ("Hussain", "Xuseen", "Husein"), "Hossain": ("Hussain",
    "Hossen"),
    "Ahmed": ("Ahmad", "Ahmet", "Axmed"), "Ahmad": ("Ahmed", "Ahmet"), "Rahman": ("Rehman", "Rahaman"),
    "Rehman": ("Rahman",),
    "Chowdhury": ("Choudhury", "Chaudhry", "Chowdry"), "Choudhury": ("Chowdhury", "Chaudhury"),
    "Chaudhry": ("Chaudhary", "Choudhry"),
    "Miah": ("Mia", "Meah", "Mian"), "Begum": ("Begom", "Begam"), "Akhtar": ("Akther", "Akter"), "Akter": ("Akther",
    "Akhtar"),
    "Khatun": ("Khatoon", "Katun"), "Qureshi": ("Quraishi", "Koreshi"), "Sheikh": ("Shaikh", "Sheik"),
    "Iqbal": ("Eqbal",),
    "Yusuf": ("Yousuf", "Yousef", "Yusef"), "Ibrahim": ("Ebrahim", "Ibraheem"), "Fatima": ("Fathima", "Fatema",
    "Fatimah"),
    "Aisha": ("Ayesha", "Aysha"), "Ayesha": ("Aisha", "Aysha"), "Khadija": ("Khadijah", "Hadija"), "Abdul": ("Abdal",
    "Abdool"),
    "Li": ("Lee", "Lei"), "Lee": ("Li",), "Wong": ("Wang", "Huang"), "Chan": ("Chen",), "Chen": ("Chan",),
    "Zhang": ("Chang", "Cheung"),
    "Cheung": ("Chang", "Zhang"), "Ng": ("Wu",), "Lam": ("Lin",), "Ho": ("He",), "Leung": ("Liang",), "Kaur": ("Kour",),
    "Singh": ("Sing",), "Gurdeep": ("Gurdip",), "Kuldip": ("Kuldeep",), "Serhiy": ("Sergey", "Serhii"),
    "Oleksandr": ("Alexander",),
    "Nataliya": ("Natalia",), "Osman": ("Usman", "Othman"), "Hassan": ("Hasan", "Xasan"), "Said": ("Saeed", "Sayed"),
    "Patel": ("Pattel",),
}  # fmt: skip
_VOWELS: Final = (
    ("ee", "i"),
    ("oo", "u"),
    ("ou", "u"),
    ("a", "e"),
    ("i", "e"),
    ("y", "i"),
    ("u", "oo"),
    ("q", "k"),
    ("sz", "sh"),
    ("j", "y"),
)
_PHONETIC: Final = (
    ("ph", "f"),
    ("ck", "k"),
    ("ie", "y"),
    ("ea", "ee"),
    ("c", "k"),
    ("s", "z"),
    ("ai", "ay"),
    ("ll", "l"),
    ("tt", "t"),
    ("th", "t"),
)
_FAMILY_FIRST: Final = frozenset({"chinese", "somali", "west_african", "kurdish_afghan", "arab", "turkish", "hindu"})
_LETTERS: Final = "abcdefghijklmnoprstuwy"
_NO_DECOMPOSITION: Final = str.maketrans("łŁıøØđĐß", "lLioOdDs")


def is_joined(surname: str) -> bool:
    """Whether the surname has a hyphen, blank or apostrophe, or begins with Mac or Mc."""
    return any(mark in surname for mark in "-' ") or surname.startswith(("Mac", "Mc", "Al-"))


def rejoined(rng: random.Random, surname: str) -> str:
    """Another way of writing a joined surname (D26)."""
    if "-" in surname or " " in surname:
        mark = "-" if "-" in surname else " "
        first, _, second = surname.partition(mark)
        return rng.choice(
            (
                f"{first} {second}" if mark == "-" else f"{first}-{second}",
                first + second.lower(),
                second,
                f"{second}{mark}{first}",
                first,
            )
        )
    if "'" in surname:
        return rng.choice((surname.replace("'", ""), surname.replace("'", " "), surname.replace("'", "").capitalize()))
    if surname.startswith("Mac"):
        return rng.choice(("Mc" + surname[3:].capitalize(), "Mac " + surname[3:].capitalize(), surname.capitalize()))
    rest = surname[2:].capitalize()
    return rng.choice((f"Mac{rest}", f"Mc {rest}", surname.capitalize()))


def _respell(rng: random.Random, name: str) -> str:
    known = _SPELLINGS.get(name)
    if known:
        return rng.choice(known)
    rules = [(old, new) for old, new in _VOWELS if old in name[1:]]
    if not rules:
        return name + "a" if rng.random() < 0.5 else name + "h"
    old, new = rng.choice(rules)
    return name[0] + name[1:].replace(old, new, 1)


def transliterated(rng: random.Random, tradition: str, sex: str, names: tuple[str, str, str]) -> tuple[str, str, str]:
    """Forename, middle names and surname as another clerk heard or understood them (D27)."""
    forename, middle, surname = names
    chance = rng.random()
    if tradition == "sikh" and chance < 0.5:
        faith = "Kaur" if sex == "F" else "Singh"
        return (forename, "", faith) if surname != faith else (f"{forename} {faith}", middle, surname)
    if tradition == "polish" and sex == "F" and surname.endswith("ska") and chance < 0.6:
        return forename, middle, surname[:-1] + "i"
    if tradition in _FAMILY_FIRST and chance < 0.3:
        return surname, middle, forename
    if tradition in ("somali", "arab", "kurdish_afghan", "bangladeshi") and chance < 0.36:
        return "", "", forename
    if tradition == "chinese" and " " in forename and chance < 0.7:
        first, _, second = forename.partition(" ")
        return (
            *rng.choice(((first, second), (first + second.lower(), middle), (f"{first}-{second}", middle))),
            surname,
        )
    if rng.random() < 0.5:
        return _respell(rng, forename), middle, surname
    return forename, middle, _respell(rng, surname)


def slip(rng: random.Random, name: str) -> str:
    """One slip: a letter changed, dropped, doubled or exchanged, or a sound spelt otherwise (D28)."""
    place = rng.randrange(1, len(name))
    chance = rng.random()
    if chance < 0.25:
        return name[:place] + rng.choice(_LETTERS) + name[place + 1 :]
    if chance < 0.45:
        return name[:place] + name[place + 1 :]
    if chance < 0.60:
        return name[:place] + name[place] + name[place:]
    if chance < 0.75 and place + 1 < len(name):
        return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    sounds = [(old, new) for old, new in _PHONETIC if old in name[1:]]
    if not sounds:
        return name + name[-1]
    old, new = rng.choice(sounds)
    return name[0] + name[1:].replace(old, new, 1)


def without_accents(name: str) -> str:
    """The name in plain letters."""
    plain = unicodedata.normalize("NFKD", name.translate(_NO_DECOMPOSITION))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def across_code_page(rng: random.Random, name: str, *, code_page: bool) -> str:
    """An accented name after its journey: kept 40 %, dropped 50 %, broken 10 % (D30).

    A system on code page 1252 cannot keep letters the page does not have; there they are dropped.
    """
    chance = rng.random()
    if chance < 0.40:
        kept = not code_page or name.encode("cp1252", "ignore").decode("cp1252") == name
        return name if kept else without_accents(name)
    if chance < 0.90:
        return without_accents(name)
    if rng.random() < 0.5:
        return "".join(letter if letter.isascii() else "?" for letter in name)
    return name.encode("utf-8").decode("cp1252", "replace").replace("�", "?")
