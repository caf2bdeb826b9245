"""A small world of people in two files of an unknown analyst, and `onestory link` and `dedupe` run upon them.

It is known who is who (the number in the id is the person); the command never sees that.
"""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from onestory.cli import app

GIVEN = [
    a + b
    for a in ("Al", "Ber", "Cor", "Den", "Ed", "Flor", "Gwen", "Hil")
    for b in ("ice", "tha", "bert", "ina", "win")
]
FAMILY = [a + b for a in ("Ald", "Birch", "Ced", "Dog", "Elm", "Fir", "Gor", "Haz", "Iv", "Jun") for b in
          ("wick", "ton", "ley", "worth", "by", "stead", "combe", "ham", "shaw", "field")]  # fmt: skip
TOWNS = ["Ely", "Bath", "Wells", "Ripon", "Truro", "Derby", "Leeds", "Hull"]
HEADINGS = ["client_no", "first_name", "surname", "dob", "sex", "town", "post_code"]
OTHER_HEADINGS = ["Nr", "Vorname", "Nachname", "Geburtsdatum", "Geschlecht", "Ort", "PLZ"]
Row = list[str]


@dataclass(frozen=True)
class Person:
    given: str
    family: str
    born: date
    sex: str
    town: str
    postcode: str

    def row(self, key: str, style: str = "%Y-%m-%d") -> Row:
        return [key, self.given, self.family, self.born.strftime(style), self.sex, self.town, self.postcode]


def people(many: int = 300, seed: int = 5) -> list[Person]:
    dice = random.Random(seed)
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return [
        Person(
            dice.choice(GIVEN),
            dice.choice(FAMILY),
            date(1930, 1, 1) + timedelta(days=dice.randrange(25_000)),
            dice.choice("MF"),
            dice.choice(TOWNS),
            f"EX{dice.randrange(1, 40)} {dice.randrange(10)}{dice.choice(letters)}{dice.choice(letters)}",
        )
        for _ in range(many)
    ]


PEOPLE = people()


def damaged(person: Person, number: int) -> Person:
    """One in five has a typing error or moved."""
    if number % 5:
        return person
    return [
        replace(person, given=person.given[:-1]),
        replace(person, postcode="EX1 1AA", town="Derby"),
        replace(person, born=person.born + timedelta(days=1)),
        replace(person, family=person.family + "e"),
    ][number // 5 % 4]


def left() -> list[Row]:
    return [p.row(f"a{n}") for n, p in enumerate(PEOPLE[:200])]


def right(style: str = "%Y-%m-%d") -> list[Row]:
    return [damaged(p, n).row(f"b{n}", style) for n, p in enumerate(PEOPLE) if n >= 100]


def written(path: Path, headings: list[str], rows: list[Row], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows([headings, *rows])
    return path


@dataclass(frozen=True)
class Answer:
    code: int
    said: str
    out: Path

    @property
    def links(self) -> list[tuple[str, str]]:
        with (self.out / "links.csv").open(encoding="utf-8", newline="") as lines:
            return [(row["left_id"], row["right_id"]) for row in csv.DictReader(lines)]

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "summary.json").read_text(encoding="utf-8"))
        return found

    @property
    def page(self) -> str:
        return (self.out / "report.html").read_text(encoding="utf-8")


def run(tmp_path: Path, *words: object) -> Answer:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [*map(str, words), "--out", str(out)], env={"COLUMNS": "140"})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return Answer(result.exit_code, " ".join(result.output.split()), out)


def judged(links: list[tuple[str, str]]) -> tuple[float, float]:
    """Precision and recall, when the number in the id is the person and 100 people are in both files."""
    right_ones = sum(a[1:] == b[1:] for a, b in links)
    return right_ones / max(len(links), 1), right_ones / 100


def assert_good(answer: Answer, precision: float = 0.97, recall: float = 0.9) -> None:
    assert answer.code == 0, answer.said
    found = judged(answer.links)
    assert found[0] >= precision and found[1] >= recall, found


def assert_nobody_shown(text: str) -> None:
    assert [value for p in PEOPLE for value in (p.family, p.postcode, p.born.isoformat()) if value in text] == []


def assert_refused(answer: Answer, *sayings: str) -> None:
    assert answer.code == 4, answer.said
    assert "Refused:" in answer.said
    assert [saying for saying in sayings if saying not in answer.said] == []
    assert not (answer.out / "links.csv").exists()
    assert_nobody_shown(answer.said)
