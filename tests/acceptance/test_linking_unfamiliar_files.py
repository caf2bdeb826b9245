"""A new user's files: each ends in a good result or in one clear sentence that says what, where and what to do.

The people are made here, so it is known who is who; the command never sees that.
"""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onestory.cli import app
from tests.support.unfamiliar_files import (
    HEADINGS,
    OTHER_HEADINGS,
    PEOPLE,
    assert_good,
    assert_nobody_shown,
    assert_refused,
    damaged,
    judged,
    left,
    people,
    right,
    run,
    written,
)


def test_two_files_with_other_headings_order_language_delimiter_dates_and_encoding_link(tmp_path: Path) -> None:
    order = [2, 1, 3, 0, 6, 5, 4]
    theirs = [[row[n] for n in order] for row in right("%d.%m.%Y")]
    other = written(tmp_path / "b.csv", [OTHER_HEADINGS[n] for n in order], theirs, ";", "utf-16")
    answer = run(tmp_path, "link", written(tmp_path / "a.csv", HEADINGS, left()), other)
    assert_good(answer)
    assert "utf-16 semicolon" in answer.said and "Geburtsdatum birth_date" in answer.said
    for name in ("links.parquet", "clusters.csv", "model.json", "roles.yml", "report.html"):
        assert (answer.out / name).stat().st_size > 0
    for text in (answer.said, answer.page, (answer.out / "summary.json").read_text(encoding="utf-8")):
        assert_nobody_shown(text)


def test_parquet_with_types_links_with_csv(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = right()
    table = pa.table(
        {
            "PersonRef": pa.array([float(row[0][1:]) for row in rows]),
            "FullName": [f"{row[1]} {row[2]}" for row in rows],
            "BirthDate": [date.fromisoformat(row[3]) for row in rows],
            "Gender": pa.array([row[4] for row in rows]).dictionary_encode(),
            "PostCode": [row[6] for row in rows],
        }
    )
    pq.write_table(table, tmp_path / "b.parquet")
    answer = run(tmp_path, "link", written(tmp_path / "a.csv", HEADINGS, left()), tmp_path / "b.parquet")
    assert answer.code == 0, answer.said
    found = judged([(a, f"b{b}") for a, b in answer.links])
    assert found[0] >= 0.95 and found[1] >= 0.85, found


def test_missing_columns_are_no_obstacle(tmp_path: Path) -> None:
    theirs = [row[:4] for row in right()]
    answer = run(
        tmp_path,
        "link",
        written(tmp_path / "a.csv", HEADINGS, left()),
        written(tmp_path / "b.csv", HEADINGS[:4], theirs),
    )
    assert_good(answer, precision=0.95, recall=0.85)


def test_one_value_in_ten_missing_on_both_sides(tmp_path: Path) -> None:
    dice = random.Random(9)
    files = [
        written(
            tmp_path / name, HEADINGS, [[row[0], *(v if dice.random() > 0.1 else "" for v in row[1:])] for row in rows]
        )
        for name, rows in (("a.csv", left()), ("b.csv", right()))
    ]
    assert_good(run(tmp_path, "link", *files), precision=0.9, recall=0.75)


def test_mixed_encodings_inside_a_file_and_between_files(tmp_path: Path) -> None:
    rows = [[*row[:2], row[2] + "é", *row[3:]] for row in right()]
    mine = [[*row[:2], row[2] + "é", *row[3:]] for row in left()]
    path = written(tmp_path / "b.csv", HEADINGS, rows)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(x.decode().encode("cp1252") if n % 2 else x for n, x in enumerate(lines)))
    answer = run(tmp_path, "link", written(tmp_path / "a.csv", HEADINGS, mine, "\t", "cp1252"), path)
    assert_good(answer)
    assert "encodings are mixed" in answer.said


def test_people_who_are_not_in_both_files_are_not_linked(tmp_path: Path) -> None:
    strangers = [p.row(f"c{n}") for n, p in enumerate(people(200, seed=99))]
    answer = run(
        tmp_path,
        "link",
        written(tmp_path / "a.csv", HEADINGS, left()),
        written(tmp_path / "b.csv", HEADINGS, strangers),
    )
    assert answer.code == 0, answer.said
    assert len(answer.links) <= 4


def test_a_file_with_itself_links_every_record_to_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADINGS, left())
    answer = run(tmp_path, "link", path, path)
    assert answer.code == 0, answer.said
    assert sorted(answer.links) == sorted((row[0], row[0]) for row in left())


def test_files_without_an_id_number_their_records(tmp_path: Path) -> None:
    files = [
        written(tmp_path / name, HEADINGS[1:], [row[1:] for row in rows])
        for name, rows in (("a.csv", left()), ("b.csv", right()))
    ]
    answer = run(tmp_path, "link", *files)
    assert answer.code == 0, answer.said
    assert "No column names each record of a.csv; they are numbered 1, 2, 3" in answer.said
    good = [int(b) == int(a) - 100 for a, b in answer.links]
    assert sum(good) >= 0.97 * len(good) and sum(good) >= 90


def test_ids_that_occur_twice_are_not_taken_for_ids_and_refused_when_insisted_on(tmp_path: Path) -> None:
    rows = left()
    rows[7][0] = rows[8][0]
    path = written(tmp_path / "a.csv", HEADINGS, rows)
    answer = run(tmp_path, "dedupe", path)
    assert answer.code == 0 and "1 values repeat an earlier one" in answer.said
    (answer.out / "links.csv").unlink()
    assert_refused(run(tmp_path, "dedupe", path, "--id", "client_no"), "a.csv: 1 records repeat a 'client_no'", "--id")


@pytest.mark.parametrize(
    ("content", "sayings"),
    [
        (b"", ["b.csv is empty (0 bytes)"]),
        (b"id,first_name,surname,dob\n", ["b.csv has headings but no records; there is nothing to link."]),
        (b"colour,size\nred,1\nblue,2\nred,1\n", ["no column means the same in both", "b.csv has none", "--roles"]),
        (b"x1,sex\nA,M\nA,F\nA,M\n", ["the only evidence is sex, which many people share"]),
        (b"id,surname,dob\n1,Aldwick,1950-01-01\n2,Aldwick\n", ["b.csv, line 3: 2 fields where the heading"]),
        (b"PK\x03\x04 a workbook", ["b.csv is a workbook or a zip archive; save the sheet as CSV"]),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_linked_gets_one_sentence(tmp_path: Path, content: bytes, sayings: list[str]) -> None:
    (tmp_path / "b.csv").write_bytes(content)
    mine = [row[1:] for row in left()]
    answer = run(tmp_path, "link", written(tmp_path / "a.csv", HEADINGS[1:], mine), tmp_path / "b.csv")
    assert_refused(answer, *sayings)


def test_one_useful_column_gives_hints_and_says_so(tmp_path: Path) -> None:
    files = [
        written(tmp_path / name, ["full name"], [[f"{row[1]} {row[2]}"] for row in rows])
        for name, rows in (("a.csv", left()), ("b.csv", right()))
    ]
    answer = run(tmp_path, "link", *files)
    assert answer.code == 0, answer.said
    assert "Everything rests on one kind of evidence (name)" in answer.said


def test_one_record_is_enough_to_end_well(tmp_path: Path) -> None:
    one = written(tmp_path / "one.csv", HEADINGS, left()[150:151])
    answer = run(tmp_path, "dedupe", one)
    assert answer.code == 0, answer.said
    assert answer.links == [] and "one record" in answer.said
    answer = run(tmp_path, "link", one, written(tmp_path / "b.csv", HEADINGS, right()))
    assert answer.code == 0, answer.said


def test_duplicates_within_a_file_are_found_and_the_answer_beside_them_is_never_read(tmp_path: Path) -> None:
    rows = [p.row(f"a{n}") for n, p in enumerate(PEOPLE)]
    rows += [damaged(p, n).row(f"b{n}") for n, p in enumerate(PEOPLE) if n % 3 == 0]
    without = run(tmp_path, "dedupe", written(tmp_path / "a.csv", HEADINGS, rows))
    assert without.code == 0, without.said
    found = {tuple(sorted(pair)) for pair in without.links}
    good = {(f"a{n}", f"b{n}") for n in range(0, 300, 3)}
    assert len(found & good) >= 90 and len(found - good) <= 4
    with_answer = [[*row, f"P{row[0][1:]}"] for row in rows]
    answer = run(tmp_path, "dedupe", written(tmp_path / "a.csv", [*HEADINGS, "cluster"], with_answer))
    assert "cluster ignore by its heading it may hold the answer" in answer.said
    assert answer.links == without.links


def test_edited_roles_are_used_again_and_shown_as_such(tmp_path: Path) -> None:
    files = (written(tmp_path / "a.csv", HEADINGS, left()), written(tmp_path / "b.csv", HEADINGS, right()))
    first = run(tmp_path, "link", *files)
    roles = tmp_path / "roles.yml"
    roles.write_text(
        (first.out / "roles.yml").read_text(encoding="utf-8").replace("town: place", "town: ignore"), encoding="utf-8"
    )
    answer = run(tmp_path, "link", *files, "--roles", roles)
    assert_good(answer)
    assert "town ignore said in roles.yml" in answer.said
    assert {r["role"] for r in answer.summary["files"][0]["roles"] if r["column"] == "town"} == {"ignore"}


def test_the_same_files_and_seed_give_the_same_links(tmp_path: Path) -> None:
    files = (written(tmp_path / "a.csv", HEADINGS, left()), written(tmp_path / "b.csv", HEADINGS, right()))
    first = run(tmp_path, "link", *files, "--seed", "7")
    before = (first.out / "links.csv").read_bytes()
    assert (run(tmp_path, "link", *files, "--seed", "7").out / "links.csv").read_bytes() == before


def test_the_report_shows_what_the_run_found_and_its_waterfalls_add_up(tmp_path: Path) -> None:
    files = (written(tmp_path / "a.csv", HEADINGS, left()), written(tmp_path / "b.csv", HEADINGS, right()))
    answer = run(tmp_path, "link", *files)
    facts = answer.summary["facts"]
    assert facts["patterns"] and facts["blocking"] and facts["model"]["comparisons"]
    for pattern in facts["patterns"]:
        assert sum(part["bits"] for part in pattern["parts"]) == pytest.approx(pattern["total"])
        assert pattern["pairs"] >= 10
    assert sum(rule["pairs"] for rule in facts["blocking"]) == facts["pairs"]
    assert sum(rule["links"] for rule in facts["blocking"]) == len(answer.links) == answer.summary["links"]
    assert sum(bin["linked"] for bin in facts["weights"]) == len(answer.links)
    assert "Not measured" not in answer.page


def test_a_kept_model_links_again_without_learning(tmp_path: Path) -> None:
    files = (written(tmp_path / "a.csv", HEADINGS, left()), written(tmp_path / "b.csv", HEADINGS, right()))
    first = run(tmp_path, "link", *files)
    before = first.links
    model = tmp_path / "model.json"
    model.write_bytes((first.out / "model.json").read_bytes())
    again = run(tmp_path, "link", *files, "--model", model)
    assert again.code == 0, again.said
    assert len(set(again.links) & set(before)) >= 0.98 * len(before)


@pytest.mark.parametrize(
    ("words", "saying"),
    [
        (["nowhere.csv"], "does not exist"),
        (["a.csv", "--train", "--model", "m.json"], "give one of them"),
        (["a.csv", "--id", "nobody"], "no such column"),
        (["a.csv", "--memory", "much"], "write for example 4GB"),
        (["a.csv", "--cut", "high"], "valid number"),
        (["a.csv", "--id", "dob", "--id", "sex"], "may be given once"),
    ],
)
def test_wrong_use_says_what_is_wrong_with_exit_2(tmp_path: Path, words: list[str], saying: str) -> None:
    written(tmp_path / "a.csv", HEADINGS, left())
    (tmp_path / "m.json").write_text("{}", encoding="utf-8")
    answer = run(tmp_path, "dedupe", *(tmp_path / w if "." in w else w for w in words))
    assert answer.code == 2
    assert saying in answer.said.replace("│ ", "").replace(" │", "")


def test_a_model_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": 1}', encoding="utf-8")
    path = written(tmp_path / "a.csv", HEADINGS, left())
    assert_refused(run(tmp_path, "dedupe", path, "--model", tmp_path / "m.json"), "m.json is no model")


def test_help_teaches_by_example() -> None:
    for command in ("link", "dedupe"):
        text = CliRunner().invoke(app, [command, "--help"]).output
        assert "Example:" in text and "--roles trial/roles.yml" in text and "Exit codes: 0 done" in text
