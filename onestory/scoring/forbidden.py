"""True pairs that governance forbids to link: not misses, and counted apart so that nobody takes them for found.

A protected record is joined to nobody but by a verified number that both records hold (governance PRO-1). What such a
record says of itself decides, as the linkage saw it, never the truth file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.store import Store

Record = tuple[str, str]  # system and key
_RECORDS = """select p.source, p.source_person_key, p.is_restricted is distinct from false as is_protected,
                     case when n.is_verified then n.nhs_number end as verified_number, m.person_id
                from identity.source_person p join identity.number_status n using (source_record_id)
                left join identity.membership m on m.source_record_id = p.source_record_id and m.known_to is null
               where p.known_to is null"""


@dataclass(frozen=True, slots=True)
class Held:
    """One record as linkage saw it, and whom it was taken for."""

    is_protected: bool
    verified_number: str | None
    person: str | None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Pairs of records of one person that PRO-1 kept apart: all, care to patient, and those without a number."""

    overall: int
    care_to_patient: int
    number_missing: int


def read(store: Store) -> dict[Record, Held]:
    """Every current record of the identity zone."""
    return {
        (row["source"], row["source_person_key"]): Held(row["is_protected"], row["verified_number"], row["person_id"])
        for row in store.read_arrow("linker", _RECORDS).to_pylist()
    }


def forbidden(held: Mapping[Record, Held], truth: Iterable[Mapping[str, Any]]) -> Forbidden:
    """Count the true pairs that PRO-1 forbids and that were not linked.

    `truth` are the appearances of the truth file; those that are judged count (`linkage.quality.pairwise_quality`).
    """
    people: dict[Any, list[Mapping[str, Any]]] = {}
    for row in truth:
        if not (row["is_flagged_test"] or row.get("is_child")) and row["removed_night"] is None:
            people.setdefault(row["person_id"], []).append(row)
    pairs = [
        (one, other)
        for rows in people.values()
        if any(record.is_protected for row in rows if (record := held.get((row["system"], row["key"]))))
        for one, other in combinations(rows, 2)
        if _is_forbidden(held.get((one["system"], one["key"])), held.get((other["system"], other["key"])))
    ]
    return Forbidden(
        overall=len(pairs),
        care_to_patient=sum((one["system"] == "systmone") != (other["system"] == "systmone") for one, other in pairs),
        number_missing=sum(not (one["has_nhs_number"] and other["has_nhs_number"]) for one, other in pairs),
    )


def counted_apart(part: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The figures of one part with its forbidden pairs told: recall of what may be linked, and of all beside it."""
    allowed = part["true_pairs"] - count
    return {
        **part,
        "forbidden_by_pro_1": count,
        "recall": part["right_pairs"] / allowed if allowed else 1.0,
        "recall_of_all": part["recall"],
    }


def _is_forbidden(one: Held | None, other: Held | None) -> bool:
    if one is None or other is None or not (one.is_protected or other.is_protected):
        return False
    if one.verified_number is not None and one.verified_number == other.verified_number:
        return False
    return one.person is None or one.person != other.person
