"""Liquidlogic's door: a reporting mart rebuilt every night, read through a read-only login.

One delivery is one snapshot, named by the mart's own refresh stamp. `DIM_` tables are read whole; facts by the moment
they changed, with an overlap; once a week the keys of all facts are read, because deleted rows simply vanish.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from connectors.base import Connector
from connectors.database_options import accepted_in, access_of, connector_of, live_from_in
from connectors.database_snapshot import Habits, Plan
from connectors.database_statements import Answers
from domain.profile import Profile, ProfileError, SourceSettings

SUPPLIER: Final = "liquidlogic"

#: What LEGACY_ID holds at a site (sources hand-book 3.3): nothing we use, the on-screen number, or an old system's id.
LEGACY_MEANINGS: Final = ("unused", "screen_number", "old_system:micare", "old_system:carefirst")

#: Answers on forms are free text: read only for the questions a site names in `answers_allowed`.
ANSWERS: Final = Answers("FACT_FORM_ANSWERS", "ANSWER", "DIM_ASSESSMENT_TEMPLATE_QUESTION_ID_DESC")

HABITS: Final = Habits(
    supplier=SUPPLIER,
    refresh=("MART_REFRESH", "REFRESHED_DTTM"),
    load_number="LOAD_NO",
    by_change="FACT_",
    changed="MODIF_DTTM",
    people=("DIM_PERSON", "DIM_PERSON_ID"),
    not_read=frozenset({"OUTCOME_COMMENTS", "NOTE_TEXT"}),  # free text stays in the mart (sources 15)
    answers=ANSWERS,
)

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def make(profile: Profile, source: SourceSettings) -> Connector:
    """The connector of one Liquidlogic source of a profile.

    Options of the source: `url` (address of the mart with its read-only login, without password) or `folder` (CSV
    exports); `schema`, `owner` (who can mend the login), `keys_weekday` (default sunday), `overlap_days` (default 3),
    `shrink_accepted` and `volume_accepted` (snapshot names, comma between), `live_from` (date: snapshots before it are
    trial loads and are not taken), `legacy_id` (what LEGACY_ID means; conforming asks it), `answers_allowed` (questions
    whose answers may be read, semicolon between).

    Raises:
        ProfileError: when an option is missing or cannot be understood.
    """
    options = source.options
    where = f"{profile.path}: source {source.name}"
    weekday = options.get("keys_weekday", "sunday").strip().lower()
    overlap = options.get("overlap_days", "3").strip()
    if weekday not in _DAYS:
        raise ProfileError(f"{where}: keys_weekday is a day of the week, in English")
    if not overlap.isdecimal():
        raise ProfileError(f"{where}: overlap_days is a whole number of days")
    if options.get("legacy_id", "unused") not in LEGACY_MEANINGS:
        raise ProfileError(f"{where}: legacy_id is one of {', '.join(LEGACY_MEANINGS)}")
    return connector_of(
        profile,
        source,
        Plan(
            replace(HABITS, answers=replace(ANSWERS, allowed=_questions(options.get("answers_allowed", "")))),
            access_of(profile, source, schema="Adult_Social", noun="the mart"),
            keys_weekday=_DAYS.index(weekday),
            overlap=timedelta(int(overlap)),
            accepted=accepted_in(source),
            live_from=live_from_in(profile, source),
        ),
    )


def _questions(told: str) -> frozenset[str]:
    return frozenset(part.strip() for part in told.split(";") if part.strip())
