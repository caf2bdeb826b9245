"""Records that should not be there: duplicates, marked or not (D11, D12), mixed-up ones (D13), test people (D14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from connectors.synthetic.appearances import fields_on
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.record_defects import Spoiler, set_field, value_of
from connectors.synthetic.world import Appearance, NamePeriod, TrueEvent

_MOVED_UNMARKED: Final = 0.30
_MOVED_MARKED: Final = 0.20
_TEST_NAMES: Final = (
    ("Test", "Patient"), ("Training", "Zztest"), ("Dummy", "Person"), ("Xxtest", "Mouse"), ("Testing", "Donotuse"),
    ("Fred", "Testperson"),
)  # fmt: skip


def add_duplicates(spoiler: Spoiler, events: list[TrueEvent]) -> None:
    """Adds second records for some people, with part of their events on them; some are marked, a few vanish again."""
    mains = [record for record in spoiler.records if record.role in ("client", "patient")]
    base = len(spoiler.records)
    unmarked = choose(spoiler.rng, mains, how_many(spoiler.rng, spoiler.share("D11"), base), spoiler.is_prone)
    taken = {record.key for record in unmarked}
    free = [record for record in mains if record.key not in taken]
    marked = choose(spoiler.rng, free, how_many(spoiler.rng, spoiler.share("D12"), base))
    moving: dict[str, tuple[Appearance, float]] = {}
    nights = spoiler.council.settings.nights
    for place, main in enumerate(unmarked):
        copy = _duplicate(spoiler, main)
        spoiler.note("D11", copy, "key")
        if (
            nights
            and place < spoiler.council.by_number(1)
            and len(unmarked) > 1
            and copy.recorded_night < min(3, nights)
        ):
            copy.removed_night = min(3, nights)
        else:
            moving[main.key] = (copy, _MOVED_UNMARKED)
    for place, main in enumerate(marked):
        copy = _duplicate(spoiler, main)
        night = min(2, nights) if place == 0 else 0
        copy.marked_duplicate_night = max(copy.recorded_night, night)
        spoiler.note("D12", copy, "key", night=copy.marked_duplicate_night)
        moving[main.key] = (copy, _MOVED_MARKED)
        if spoiler.system == "micare" and place < spoiler.council.by_number(2):
            _chain(spoiler, main, copy)
    for event in events:
        move = moving.get(event.appearance_key)
        if move is not None and event.recorded_night >= move[0].recorded_night and spoiler.rng.random() < move[1]:
            event.appearance_key = move[0].key


def _chain(spoiler: Spoiler, main: Appearance, merged: Appearance) -> None:
    """A record merged into one that was merged itself: MiCare's references make chains of several steps."""
    link = _duplicate(spoiler, main)
    link.duplicate_of = merged.key
    link.marked_duplicate_night = merged.marked_duplicate_night
    spoiler.note("D12", link, "key", night=merged.marked_duplicate_night)


def _duplicate(spoiler: Spoiler, main: Appearance) -> Appearance:
    """A second record of the same person, opened by somebody who did not find the first: often without a number."""
    key = spoiler.register.next_key(spoiler.system, spoiler.rng)
    versions = {night: dict(fields) for night, fields in main.versions.items()}
    copy = Appearance(
        main.system, key, main.person_id, main.recorded_night, main.role, versions, list(main.addresses),
        duplicate_of=main.key, is_restricted=main.is_restricted,
    )  # fmt: skip
    if spoiler.rng.random() < 0.35:
        set_field(copy, "nhs_number", "")
        set_field(copy, "nhs_number_verified", "N")
    return spoiler.register.add(copy, main=False)


def mix_up(spoiler: Spoiler) -> None:
    """Two people in one record (D13): birth date, surname and address of a relative or another person."""
    for record in spoiler.pick("D13", [r for r in spoiler.records if r.duplicate_of is None], clustered=False):
        person = spoiler.person(record)
        household = [p for p in spoiler.council.households[person.household_id] if p is not person]
        other = household[0] if household else spoiler.council.people[person.person_id % len(spoiler.council.people)]
        record.is_mixed = True
        set_field(record, "birth_date", other.birth_date.isoformat())
        set_field(record, "surname", other.names[-1].surname)
        set_field(record, "telephone", other.telephone)
        record.addresses = list(other.addresses)
        spoiler.note("D13", record, "birth_date")


def mark_in_names(spoiler: Spoiler) -> None:
    """CareFirst marks a duplicate by typing the word into the name, Liquidlogic by a flag (D12)."""
    if spoiler.system != "carefirst":
        return
    for record in spoiler.records:
        if record.marked_duplicate_night is None:
            continue
        for night, fields in record.versions.items():
            if night >= min(record.marked_duplicate_night, max(record.versions)):
                if spoiler.rng.random() < 0.5:
                    fields["surname"] = "DUPLICATE"
                else:
                    fields["surname"] = f"DO NOT USE {fields['surname']}"


def add_test_people(spoiler: Spoiler) -> None:
    """Training records (D14), most of them flagged; nobody is behind them and nothing ever happened to them."""
    base = len(spoiler.records)
    flagged = max(1, how_many(spoiler.rng, spoiler.share("D14"), base))
    unflagged = how_many(spoiler.rng, spoiler.share("D14u"), base)
    for place in range(flagged + unflagged):
        _test_person(spoiler, flagged=place < flagged)


def _test_person(spoiler: Spoiler, *, flagged: bool) -> None:
    rng, council = spoiler.rng, spoiler.council
    person = council.new_person_with(
        "F" if rng.random() < 0.5 else "M", date(1950 + rng.randrange(50), 1, 1), "british", "A"
    )
    person.tags.add("test_person")
    forename, surname = rng.choice(_TEST_NAMES)
    person.names = [NamePeriod(person.birth_date, forename, "", surname)]
    person.addresses = [replace(council.addresses.dwelling("west").period(date(2015, 1, 5)), street="Test Street")]
    council.join_household([person])
    council.district[person.household_id] = "west"
    plan = council.settings.kind.cutover
    night = plan.go_live_night if plan is not None and plan.new == spoiler.system else 0
    fields = fields_on(council, person, night, "")
    if rng.random() < 0.7:
        fields["nhs_number"] = ""
        fields["nhs_number_verified"] = "N"
    if spoiler.system in ("carefirst", "micare"):
        fields["forename"], fields["surname"] = fields["forename"].upper(), fields["surname"].upper()
    record = Appearance(
        spoiler.system, spoiler.register.next_key(spoiler.system, rng), person.person_id, night,
        "patient" if spoiler.system == "systmone" else "client", {night: fields}, list(person.addresses),
        is_test=True, is_flagged_test=flagged,
    )  # fmt: skip
    spoiler.register.add(record)
    spoiler.note("D14" if flagged else "D14u", record, value_of(record, "surname") and "surname")
