"""Coded entries of the simulated SystmOne: ethnicity, several per patient and conflicting, and some observations.

Ethnicity is no column of the patient; the latest informative entry is what the record says (sources 2.7).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final

from connectors.synthetic.systmone_extract import Extract, child_row_id
from connectors.synthetic.systmone_lists import profile_id, staff_id
from connectors.synthetic.systmone_people import Record, held_from
from connectors.synthetic.systmone_tables import boolean, moment

#: National ethnic category -> (CTV3 code, text). The pairs are an assumption; the family 9S is a fact (sources 2.7).
ETHNICITY: Final = {
    "A": ("9S10.", "White British"),
    "B": ("9S11.", "White Irish"),
    "C": ("9S12.", "Other white ethnic group"),
    "D": ("9SB5.", "Black Caribbean and White"),
    "E": ("9SB6.", "Black African and White"),
    "F": ("9SB2.", "Other ethnic, Asian/White origin"),
    "G": ("9SB4.", "Other ethnic, other mixed origin"),
    "H": ("9S6..", "Indian"),
    "J": ("9S7..", "Pakistani"),
    "K": ("9S8..", "Bangladeshi"),
    "L": ("9SA8.", "Other Asian ethnic group"),
    "M": ("9S2..", "Black Caribbean"),
    "N": ("9S3..", "Black African"),
    "P": ("9S4..", "Black, other, non-mixed origin"),
    "R": ("9S9..", "Chinese"),
    "S": ("9SA..", "Other ethnic non-mixed (NMO)"),
    "Z": ("9SD..", "Ethnic group not given - patient refused"),
    "99": ("9SE..", "Ethnic group not recorded"),
}
_INFORMATIVE: Final = tuple(code for code in ETHNICITY if code not in ("Z", "99"))


def write_codes(extract: Extract, records: Sequence[Record]) -> None:
    """Send the coded entries of all patients."""
    for record in records:
        _codes(extract, record)
    extract.close_table("SRCode")


def _codes(extract: Extract, record: Record) -> None:
    """Ethnicity entries, oldest first, so that the last informative one is what the record says; and other entries."""
    chance, slot, before = extract.chance(f"codes {record.row_id}"), 0, ""
    for night, held in held_from(extract, record):
        ethnicity = held.get("ethnicity_code", "")
        if ethnicity == before or ethnicity not in ETHNICITY:
            continue
        at = record.recorded(extract, night)
        if slot == 0 and chance.share(0) < 0.15:
            other = _INFORMATIVE[chance.below(1, len(_INFORMATIVE))] if ethnicity in _INFORMATIVE else "99"
            _code(extract, record, night, slot, at - timedelta(days=20 + chance.below(2, 900)), ETHNICITY[other])
            slot += 1
        _code(extract, record, night, slot, at, ETHNICITY[ethnicity])
        slot, before = slot + 1, ethnicity
    if before in _INFORMATIVE and chance.share(3) < 0.05:
        _code(extract, record, record.appearance.recorded_night, 40, record.opened + timedelta(days=9), ETHNICITY["Z"])
    if chance.share(4) < 0.2:
        reading = ("2469.", "O/E - Systolic BP reading")
        at = record.opened + timedelta(days=3)
        # Half of the readings were entered by the patient's practice, which shares them (sources 2.4).
        practice = record.appearance.versions[record.appearance.recorded_night].get("gp_practice_code", "")
        by = practice if chance.share(6) < 0.5 else ""
        _code(extract, record, record.appearance.recorded_night, 41, at, reading, str(100 + chance.below(5, 80)), by)


def _code(
    extract: Extract,
    record: Record,
    night: int,
    slot: int,
    at: datetime,
    entry: tuple[str, str],
    value: str = "",
    entered_at: str = "",
) -> None:
    organisation = entered_at or record.visible_to
    row_id = child_row_id("SRCode", record.row_id, slot)
    limit = datetime.combine(extract.world.night_date(night) - timedelta(days=1), time(18))
    happened = moment(datetime.combine(min(at, limit).date(), time()))
    who = (profile_id(record.entered_by), staff_id(record.entered_by), "", organisation)
    row = (
        *(str(row_id), record.visible_to, moment(min(at, limit)), happened, *who, *entry, "-1", "", ""),
        *(boolean(bool(value)), value, "mmHg" if value else "", "-1", "-1", "-1", "-1", str(record.row_id)),
        *("-1", "-1", "-1", organisation, organisation, "0"),
    )
    extract.add(night, "SRCode", row)
