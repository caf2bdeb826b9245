"""Faults of rows that met the whole way in, from the delivery to the release (governance 9.2), and survived it.

A row that is kept with its fault changes what is believed until the source sends the right value; from then on only
history tells of it, so what is believed and shown is compared with a council that never met the fault. Where a row was
held, nothing of it was believed, and the whole history is compared.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.run import RunContext, RunState
from expectations.quarantine import discard
from expectations.replay import release
from review import linkage_report
from statutory import stage as returns
from statutory.pack import write_readable_csv
from tests.support import canaries
from tests.support.linkage_numbers import nhs_number
from tests.support.row_faults_door import PEOPLE, FirstNight, RowCouncil, Straight, first_night, key
from tests.support.survival import unbalanced
from warehouse.build import EVENTS

_copies = itertools.count(1)
HELD = "select dataset, rules, held_id from quarantine.held_row where state = 'held' order by dataset, line"


@pytest.fixture(scope="module")
def origin(cluster: object, new_council: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> FirstNight:
    return first_night(cluster, RowCouncil(new_council(tmp_path_factory.mktemp("rows"))))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def straight(origin: FirstNight, tmp_path_factory: pytest.TempPathFactory) -> Straight:
    return origin.straight(tmp_path_factory.mktemp("straight"), "rows_straight")


@pytest.fixture
def council(origin: FirstNight, tmp_path: Path) -> RowCouncil:
    """A council whose second night has arrived and waits to be spoilt."""
    copied = origin.copy(tmp_path, f"rows_{next(_copies)}")
    copied.arrive(1)
    return copied


def believed(council: RowCouncil, column: str, person: int) -> object:
    record = f"source = 'carefirst' and source_person_key = '{key('carefirst', person)}'"
    (row,) = council.ask(f"select {column} as v from identity.source_person where {record} and known_to is null")
    return row["v"]


def failed(council: RowCouncil, rule: str) -> int:
    query = f"select coalesce(sum(failed), 0)::int as n from ledger.rule_result where rule = '{rule}'"
    return int(council.ask(query)[0]["n"])


def test_f33_f34_numbers_that_are_none_are_kept_counted_and_match_nobody(
    council: RowCouncil, straight: Straight
) -> None:
    wrong = nhs_number(1)[:-1] + str((int(nhs_number(1)[-1]) + 1) % 10)
    filler = "1234567881"  # passes the check digit
    survival, groups = council.survival(wrong, filler), council.groups()
    for person, number in ((1, wrong), (5, filler), (6, filler)):
        council.change("PERSON", person, "NHS_NUMBER", number)
    survival.ended(council.take_in(1, "carefirst").of("check", "carefirst"), RunState.DONE, "CHECK-WARNED")
    assert (failed(council, "PER-001"), failed(council, "PER-002")) == (1, 2)
    assert [believed(council, "nhs_number_supplied", person) for person in (1, 5, 6)] == [wrong, filler, filler]
    council.publish(1)
    assert council.groups() == groups, "the shared filler joins nobody, and who was joined is found by the rest"
    used = {
        row["nhs_number"]
        for row in council.ask("select nhs_number from identity.person_detail where known_to is null", "linker")
    }
    assert nhs_number(1) in used and not {wrong, filler} & used
    (rule,) = council.ask(_PAIR_OF_ONE, "linker")
    assert rule["rule"] == "probabilistic"
    council.whole(2)
    assert council.now() == straight.now


_PAIR_OF_ONE = f"""select rule from identity.link l
  join identity.source_record r on r.source_record_id in (left_record_id, right_record_id)
 where l.known_to is null and l.decision = 'link' and r.source_person_key = '{key("carefirst", 1)}'"""


def test_f39_an_impossible_day_is_held_or_missing_by_field_and_never_another_day(
    council: RowCouncil, straight: Straight
) -> None:
    survival = council.survival("31-FEB-1944")
    council.change("PERSON", 2, "DATE_OF_BIRTH", "31-FEB-1944")
    council.change("PERSON", 5, "DATE_OF_BIRTH", "01-JAN-1900")
    council.change("ACTIVITY", 3, "START_DATE", "30/02/2026 10:30:00")
    survival.ended(council.take_in(1, "carefirst").of("check", "carefirst"), RunState.DONE, "CHECK-WARNED")
    assert believed(council, "birth_date", 2) is None
    assert (failed(council, "DAT-002"), failed(council, "DAT-004")) == (1, 1)
    assert [(r["dataset"], r["rules"]) for r in council.ask(HELD)] == [("carefirst__activity", ["DAT-001"])]
    days = council.ask("select distinct start_date::text as day from payload.request where known_to is null")
    assert [row["day"] for row in days] == ["2026-01-12"]
    council.whole(2)
    assert council.now() == straight.now


def test_f40_f42_doubtful_dates_and_endless_texts_are_held_and_settled_when_the_source_is_mended(
    council: RowCouncil, straight: Straight
) -> None:
    survival = council.survival("x" * 1000)
    styles = ("2026-04-01 10:00:00", "04/13/2026 10:00:00", "01/04/26 10:00:00", "46113", "01-APR-2026")
    for person, style in enumerate(styles, 1):
        council.change("ACTIVITY", person, "START_DATE", style)
    council.change("SERVICE_AGREEMENT", 1, "START_DATE", "03/04/2026")  # the third of April or the fourth of March?
    council.change("OBSERVATION", 2, "OBS_VALUE", "x" * 10_000_000)
    night = council.take_in(1, "carefirst")
    survival.ended(night.of("check", "carefirst"), RunState.DONE, "CHECK-WARNED")
    held = [(row["dataset"].removeprefix("carefirst__"), *row["rules"]) for row in council.ask(HELD)]
    assert held == [
        *[("activity", "DAT-001")] * len(styles),
        ("observation", "TXT-003"),
        ("service_agreement", "DAT-001"),
    ]
    assert night.of("check", "carefirst").counts["quarantined"] == len(held)
    council.publish(1)
    council.whole(2)
    assert council.dump() == straight.dump, "nothing was believed of it, so history does not tell of it either"
    settled = council.ask("select state, decided_by from quarantine.held_row")
    assert settled == [{"state": "released", "decided_by": "the check stage"}] * len(held)
    assert council.ask("select sum(quarantined)::int as n from ledger.row_account") == [{"n": 0}]
    survival.release = council.survival().release
    survival.stands()


def test_f41_what_happens_after_the_death_is_kept_and_counted_and_before_the_birth_left_out_and_counted(
    council: RowCouncil, straight: Straight
) -> None:
    survival = council.survival()
    council.change("PERSON", 1, "DATE_OF_DEATH", "11-JAN-2026")  # request and service are of the day after
    council.change("ACTIVITY", 2, "START_DATE", "01/02/1930 10:30:00")  # born in 1944
    survival.ended(council.take_in(1, "carefirst").of("check", "carefirst"), RunState.DONE, "CHECK-WARNED")
    assert failed(council, "DAT-007") == 2
    left = council.ask("select dataset, rows from ledger.exclusion where reason = 'before_18' order by 1")
    assert {row["dataset"]: row["rows"] for row in left} == {"carefirst__activity": 1, "carefirst__observation": 4}
    council.publish(1)
    requests = [row["person_id"] for row in council.shown()["request"] if row["source"] == "carefirst"]
    assert council.person("carefirst", 1) in requests, "kept"
    assert council.person("carefirst", 2) not in requests and len(requests) == 5
    council.whole(2)
    assert council.now() == straight.now


EVIL = {
    1: "<script>alert('x')</script>",
    2: "'; drop table landing.carefirst__person; --",
    3: '=HYPERLINK("http://example.test")',
    4: "%(source)s {{ 7*7 }} \\x00 $1 %s",
    5: "@SUM(A1)",
}


def test_f43_f44_f45_markup_sql_and_formulas_are_text_on_every_page_in_every_table_and_exact_in_the_return(
    council: RowCouncil, straight: Straight
) -> None:
    survival = council.survival("<script>", "drop table", "7*7")
    tables = council.ask("select count(*) as n from pg_class where relkind = 'r'")
    for person, value in EVIL.items():
        council.change("PERSON", person, "SURNAME", value)
        council.change("OBSERVATION", person, "OBS_VALUE", "SU")
    lines = council.carefirst.file("OBSERVATION", 1).read_bytes()
    formula = EVIL[3].encode()
    council.carefirst.tamper("OBSERVATION", lines.replace(b"Asked for help at home", formula, 1), 1)
    council.take_in(1)
    kept = council.ask("select surname from landing.carefirst__person where known_to is null")
    assert set(EVIL.values()) <= {row["surname"] for row in kept}, "kept to the letter"
    assert council.ask("select count(*) as n from pg_class where relkind = 'r'") == tables
    survival.stands()
    council.publish(1)
    _page_shows_text(council)
    _return_is_exact_and_lists_for_people_harmless(council)
    council.whole(2)
    assert council.now() == straight.now


def _page_shows_text(council: RowCouncil) -> None:
    """The linkage report of this very run, and of deliveries whose names are markup."""
    (report,) = council.ask("select report from ledger.link_run order by link_run_id desc limit 1")
    report["report"]["front_page"]["author"] = EVIL[1]
    counts = dict.fromkeys(("files", "read", "loaded", "unchanged", "repeated", "held", "excluded"), 1)
    files = [{"name": f"{EVIL[1]}.csv", "source": EVIL[1], "records": 1, "sha256": "0" * 64}]
    written = linkage_report.write(
        report["report"], [{"source": EVIL[1], **counts}], files, council.profile.reports / "linkage.html"
    )
    page = written.read_text(encoding="utf-8")
    assert "<script" not in page and page.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") >= 4
    written.unlink()


def _return_is_exact_and_lists_for_people_harmless(council: RowCouncil) -> None:
    prepared = returns.run(RunContext(council.profile, "night-1", "an officer"))
    with Path(prepared.facts["path"]).open(encoding="utf-8", newline="") as handle:
        sent = list(csv.DictReader(handle))
    assert [row["Event Description"] for row in sent].count(EVIL[3]) == 1, "what the source says is what is sent"
    for name in ("validation_path", "failures_path", "selection_path"):
        with Path(prepared.facts[name]).open(encoding="utf-8", newline="") as handle:
            cells = [cell for row in csv.reader(handle) for cell in row]
        assert cells and not [c for c in cells if c.startswith(("=", "+", "@", "\t", "\r"))], name
    for_people = council.profile.reports / "list.csv"
    write_readable_csv(for_people, ("what",), [(value,) for value in (*EVIL.values(), "-1+1", "+44 20 7946 0000")])
    with for_people.open(encoding="utf-8", newline="") as handle:
        told = [row[0] for row in csv.reader(handle)][1:]
    assert told == [EVIL[1], EVIL[2], f"'{EVIL[3]}", EVIL[4], f"'{EVIL[5]}", "'-1+1", "'+44 20 7946 0000"]
    for_people.unlink()


def test_f46_free_text_that_names_somebody_else_gets_into_no_table(council: RowCouncil, straight: Straight) -> None:
    third = "Kanarienkindzz"
    survival, stamp = council.survival(third), council.carefirst.file("PERSON", 1).name[-12:]
    notes = council.carefirst.arrived / f"CF_CASE_NOTE_{stamp}"
    notes.write_text(f"NOTE_ID|PERSON_ID|NOTE\n1|{key('carefirst', 1)}|Her son {third}\n")
    header, *lines = council.carefirst.file("ACTIVITY", 1).read_text("cp1252").splitlines()
    noted = [f"{header}|NOTE_TEXT", *(f"{line}|Lives with {third}" for line in lines)]
    council.carefirst.tamper("ACTIVITY", "".join(f"{line}\n" for line in noted).encode(), 1)
    night = council.take_in(1, "carefirst")
    survival.ended(night.of("land", "carefirst"), RunState.DONE, "UNEXPECTED_FILE")
    survival.ended(night.of("land", "carefirst"), RunState.DONE, "UNKNOWN_COLUMN")
    address = council.profile.warehouse_url.replace("postgresql:///", "postgresql://admin@/", 1)
    assert canaries.in_database(address, [third]) == []
    council.whole(2)
    assert council.dump() == straight.dump


def test_f47_an_id_that_comes_back_for_somebody_else_waits_for_a_person_and_joins_nobody(
    council: RowCouncil, straight: Straight
) -> None:
    stranger = {"FORENAMES": "MARMADUKE", "SURNAME": "ELLSWORTHZZ", "DATE_OF_BIRTH": "03-MAR-1970", "SEX": "M"}
    survival, groups = council.survival("ELLSWORTHZZ", nhs_number(30)), council.groups()
    for column, value in {**stranger, "NHS_NUMBER": nhs_number(30)}.items():
        council.change("PERSON", 5, column, value)
    survival.ended(council.take_in(1, "carefirst").of("check", "carefirst"), RunState.DONE, "ID_USED_AGAIN")
    assert [(r["dataset"], r["rules"]) for r in council.ask(HELD)] == [("carefirst__person", ["KEY-007"])]
    assert believed(council, "surname", 5) == PEOPLE[4][1].upper(), "the id stays with who had it"
    council.publish(1)
    assert council.groups() == groups
    council.whole(2)
    assert council.dump() == straight.dump


def test_f47_a_person_may_say_that_the_id_has_a_new_bearer(council: RowCouncil) -> None:
    for column, value in {"FORENAMES": "MARMADUKE", "SURNAME": "ELLSWORTHZZ", "DATE_OF_BIRTH": "03-MAR-1970"}.items():
        council.change("PERSON", 5, column, value)
    council.change("PERSON", 5, "NHS_NUMBER", nhs_number(30))
    council.take_in(1, "carefirst")
    (held,) = (int(row["held_id"]) for row in council.ask(HELD))
    context = RunContext(council.profile, "by hand", "test", source="carefirst")
    assert release(context, [held], reason="the supplier gave the id out again", decided_by="A. Officer") == 1
    assert council.ask(_SURNAME_OF_5) == [{"surname": "ELLSWORTHZZ"}] and council.ask(HELD) == []


@pytest.mark.parametrize("person", [1, 5])
def test_f47_the_new_bearer_of_an_id_is_a_new_person_and_the_former_keeps_the_id(
    council: RowCouncil, person: int
) -> None:
    """Person 1 is in MiCare as well and stays there; of person 5 nothing else is left, and the id is nobody's."""
    former, groups = council.person("carefirst", person), council.groups()
    work = {name for name, whose in _work(council).items() if whose == former}
    assert {name.partition(":")[0] for name in work} >= {"request", "service"}
    _given_again(council, person, 1)
    council.take_in(1)
    (held,) = (int(row["held_id"]) for row in council.ask(HELD))
    context = RunContext(council.profile, "by hand", "test", source="carefirst")
    assert release(context, [held], reason="the supplier gave the id out again", decided_by="A. Officer") == 1
    council.publish(1)
    night = council.whole(2, lambda night: _given_again(night, person, 2))
    assert "PEOPLE_PARTED" in {finding.code for finding in night.of("link").findings}
    bearer = council.person("carefirst", person)
    assert bearer not in groups, "never an id that stood for somebody else"
    (born,) = council.ask(f"select split_from, status from identity.person where person_id = '{bearer}'", "linker")
    assert born == {"split_from": former, "status": "active"}
    (left,) = council.ask(f"select status, superseded_by from identity.person where person_id = '{former}'", "linker")
    assert left == {"status": "active" if person == 1 else "retired", "superseded_by": None}, "and it redirects nowhere"
    if person == 1:
        assert council.person("micare", 1) == former
    told = [f.message for f in night.of("build").findings if f.code == "FORMER_BEARERS_WORK"]
    assert [message.split()[0] for message in told] == ([] if person == 1 else [str(len(work))])
    shown = _work(council)
    assert {name for name, whose in shown.items() if whose == former} == (work if person == 1 else set())
    new = [name for name, whose in shown.items() if whose == bearer]
    assert new == [f"request:{key('carefirst', person)}9"], "first told of with the new bearer's row"
    assert unbalanced(council.profile) == []


def _work(council: RowCouncil) -> dict[str, str]:
    """Event key -> person, of all of CareFirst's events that the release shows."""
    told = " union all ".join(f"select event_id, person_id, known_to, source from core.{kind}" for kind in EVENTS)
    told = f"select event_key, person_id from core.event join ({told}) t using (event_id) where known_to is null"
    rows = council.ask(f"{told} and t.source = 'carefirst'", "publisher")
    return {row["event_key"]: row["person_id"] for row in rows}


def _given_again(council: RowCouncil, person: int, night: int) -> None:
    """The supplier's files tell of somebody else under the person's id, who has asked for help."""
    new = {"FORENAMES": "MARMADUKE", "SURNAME": "ELLSWORTHZZ", "DATE_OF_BIRTH": "03-MAR-1970", "SEX": "M"}
    for column, value in {**new, "NHS_NUMBER": nhs_number(30)}.items():
        council.change("PERSON", person, column, value, night)
    council.change("REFERENCE", person, "REF_NUMBER", nhs_number(30), night)
    told, own = council.carefirst.file("ACTIVITY", night).read_text("cp1252").splitlines(), key("carefirst", person)
    rest = next(line.split("|", 1)[1] for line in told if f"|{own}|" in line)
    lines = "".join(f"{line}\n" for line in (*told, f"{own}9|{rest}")).encode("cp1252")
    council.carefirst.tamper("ACTIVITY", lines, night, rows=len(told))


_SURNAME_OF_5 = (
    f"select surname from landing.carefirst__person where row_key = '{key('carefirst', 5)}' and known_to is null"
)


def test_f49_of_two_stories_under_one_key_the_last_line_counts_and_the_other_waits_until_the_source_tells_one(
    council: RowCouncil, straight: Straight
) -> None:
    survival = council.survival("HARLOWZZ")
    people = council.carefirst.file("PERSON", 1).read_bytes()
    one = next(line for line in people.splitlines(keepends=True) if line.startswith(key("carefirst", 5).encode()))
    other = one.replace(PEOPLE[4][1].upper().encode(), b"HARLOWZZ")
    assert other != one
    council.carefirst.tamper("PERSON", people + other + other, 1, rows=8)
    survival.ended(council.take_in(1, "carefirst").of("check", "carefirst"), RunState.DONE, "CHECK-WARNED")
    assert [(r["dataset"], r["rules"]) for r in council.ask(HELD)] == [("carefirst__person", ["KEY-005"])]
    account = council.ask(_LAST_ACCOUNT)
    assert account == [{"unchanged": 5, "updated": 1, "duplicate": 1, "quarantined": 1, "superseded": 0}]
    assert believed(council, "surname", 5) == "HARLOWZZ", "the declared rule: the last line"
    council.whole(2)
    assert council.now() == straight.now
    assert council.ask(HELD) == [], "the source tells one story now: nobody needs to decide"


_LAST_ACCOUNT = """select unchanged, updated, duplicate, quarantined, superseded from ledger.row_account
                    where dataset = 'carefirst__person' order by file_id desc limit 1"""


def test_f49_the_line_that_was_not_taken_may_also_be_given_up_by_two_people(council: RowCouncil) -> None:
    people = council.carefirst.file("PERSON", 1).read_bytes()
    one = next(line for line in people.splitlines(keepends=True) if line.startswith(key("carefirst", 5).encode()))
    council.carefirst.tamper("PERSON", people + one.replace(b"MOTTRAMZZ", b"HARLOWZZ"), 1, rows=7)
    council.take_in(1, "carefirst")
    (held,) = (int(row["held_id"]) for row in council.ask(HELD))
    assert discard(council.profile, [held], reason="the owner says HARLOW", first="A. Analyst", second="B. Lead") == 1
    assert council.ask(HELD) == []
    council.survival().stands()
