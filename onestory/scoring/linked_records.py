"""Which records were linked rightly and which events are told as they were, judged against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from governance.store import Store

Record = tuple[str, str]  # system and key
_TOLD = (
    "(select source, event_key, {start} as start_date, {end} as end_date from payload.{table} where known_to is null)"
)
_KINDS = {
    "request": ("start_date", "end_date"),
    "assessment": ("start_date", "end_date"),
    "review": ("start_date", "end_date"),
    "service": ("start_date", "end_date"),
    "involvement": ("start_date", "end_date"),
    "safeguarding": ("concern_date", "concluded_date"),
    "dols": ("received_date", "decided_date"),
    "referral": ("referral_date", "discharge_date"),
    "contact": ("(start_at at time zone 'Europe/London')::date", "null::date"),
}


@dataclass(frozen=True, slots=True)
class LinkedRecords:
    """Records that are there, those in a group with their own kind only, and those a person is asked about."""

    present: frozenset[Record]
    expected: frozenset[Record]  # adults' records their system still holds
    rightly_linked: frozenset[Record]
    in_review: frozenset[Record]


@dataclass(frozen=True, slots=True)
class ToldEvents:
    """Events as the payload zone tells them now, and as they were; keyed by system and event key."""

    told: dict[Record, tuple[date | None, date | None]]
    truth: dict[Record, tuple[date | None, date | None]]

    def is_told(self, event: Record) -> bool:
        return event in self.told

    def is_true(self, event: Record) -> bool:
        """Told with the dates of the truth; not told where the truth has it no more."""
        return self.told.get(event) == self.truth.get(event)


def read(store: Store, truth_folder: Path) -> LinkedRecords:
    """The records of the identity zone against the truth: right is pure, and not alone where it has company.

    A protected record may be alone: without a verified number it is joined to nobody (governance PRO-1).
    """
    from connectors.synthetic import truth

    person_of = {
        (row["system"], row["key"]): row["person_id"] for row in truth.load_appearances(truth_folder).to_pylist()
    }
    members = store.read_arrow(
        "linker",
        """select r.source, r.source_person_key, m.person_id from identity.membership m
             join identity.source_record r using (source_record_id) where m.known_to is null""",
    ).to_pylist()
    waiting = store.read_arrow(
        "linker",
        """select distinct r.source, r.source_person_key from identity.link l join identity.source_record r
             on r.source_record_id in (l.left_record_id, l.right_record_id)
            where l.known_to is null and l.decision = 'review'""",
    ).to_pylist()
    protected = {
        (row["source"], row["source_person_key"])
        for row in store.read_arrow(
            "linker",
            "select source, source_person_key from identity.source_person where known_to is null and is_restricted",
        ).to_pylist()
    }
    groups: dict[str, list[Record]] = {}
    company: dict[int, int] = {}
    for row in members:
        record = (row["source"], row["source_person_key"])
        groups.setdefault(row["person_id"], []).append(record)
        if record in person_of:
            company[person_of[record]] = company.get(person_of[record], 0) + 1
    right = {
        record
        for group in groups.values()
        if len({person_of.get(record) for record in group}) == 1
        for record in group
        if record in person_of and (len(group) > 1 or company[person_of[record]] == 1 or record in protected)
    }
    expected = {
        (row["system"], row["key"])
        for row in truth.load_appearances(truth_folder).to_pylist()
        if row["removed_night"] is None and not row["is_child"] and not row["is_flagged_test"]
    }
    return LinkedRecords(
        frozenset(record for group in groups.values() for record in group),
        frozenset(expected),
        frozenset(right),
        frozenset((row["source"], row["source_person_key"]) for row in waiting),
    )


def read_events(store: Store, truth_folder: Path) -> ToldEvents:
    """The dated events of the payload zone, and the truth of the last night."""
    from connectors.synthetic import truth

    pages = [_TOLD.format(start=start, end=end, table=table) for table, (start, end) in _KINDS.items()]
    told = store.read_arrow("publisher", " union all ".join(pages)).to_pylist()
    return ToldEvents(
        {(row["source"], row["event_key"]): (row["start_date"], row["end_date"]) for row in told},
        {
            (row["system"], row["event_key"]): (
                row["start_date"],
                None if row["kind"] in ("visit", "appointment") else row["end_date"],
            )
            for row in truth.load_events(truth_folder).to_pylist()
        },
    )
