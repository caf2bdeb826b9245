"""What a link run reads: the current source rows, what people decided, and what the run before left behind.

Nothing here knows a supplier; every read goes through the store as the role `linker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.store import Store
from linkage.identity import KnownPerson, Since

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

# The number is the tracing service's where it was asked about these very details, else what the source says of itself.
_PERSONS = """select source_record_id, p.source, p.source_person_key, forename, middle_names, surname,
     previous_surname, known_as,
  n.nhs_number as nhs_number_supplied, n.is_verified as nhs_number_verified, birth_date, birth_date_estimated,
  death_date, sex, ethnicity_code, postcode,
  telephone, email, gp_practice_code, is_restricted, duplicate_of_key, is_marked_duplicate, known_from
  from identity.source_person p join identity.number_status n using (source_record_id)
 where known_to is null and {chosen} order by source_record_id"""
_ADDRESSES = """select source_record_id, address_key, postcode, valid_from, valid_to
  from identity.source_address where known_to is null and {chosen} order by source, address_key"""
# What a migration's list says of a record of the new system stands beside what was typed into that system itself: the
# old system's key. Statements of trial loads are no evidence, and one a later decision replaced is none either.
_REFERENCES = """
select source_record_id, reference_key, reference_type, reference_value from (
  select source, source_record_id, reference_key, reference_type, reference_value
    from identity.source_reference where known_to is null
  union all
  select x.source, r.source_record_id, x.cross_reference_key, x.old_source || '_key', x.old_key
    from identity.cross_reference x
    join identity.source_record r on r.source = x.new_source and r.source_person_key = x.new_key
   where x.known_to is null and x.is_evidence and x.valid_to is null
) stated where {chosen} order by source, reference_key"""
# Which version of every row is current: versions never change, so two lists of them tell which records are different.
_VERSIONS = """
select 0 as kind, version_id, source_record_id as record_id from identity.source_person where known_to is null
union all
select 1, version_id, source_record_id from identity.source_address where known_to is null
union all
select 2, version_id, source_record_id from identity.source_reference where known_to is null
union all
select 3, x.version_id, r.source_record_id from identity.cross_reference x
  join identity.source_record r on r.source = x.new_source and r.source_person_key = x.new_key
 where x.known_to is null and x.is_evidence and x.valid_to is null
union all
select 4, version_id, source_record_id from identity.trace_answer where known_to is null"""
_EDGES = """select left_record_id as left_id, right_record_id as right_id, rule, pair_decision, pair_reason,
  match_weight as weight, weight_without_number, found_without_identifier as by_demographics, numbers,
    levels::text as levels,
  decision as stored_decision, reason as stored_reason, model_version
  from identity.link where known_to is null order by 1, 2"""

_MEMBERSHIPS = """with recursive heir(person_id, heir) as (
    select person_id, person_id from identity.person where superseded_by is null
    union all
    select p.person_id, h.heir from identity.person p join heir h on p.superseded_by = h.person_id)
  select record_id, heir as person_id, reason, is_current
    from (select distinct on (source_record_id) source_record_id as record_id, person_id, reason,
            known_to is null as is_current
            from identity.membership order by source_record_id, version_id desc) last_one join heir using (person_id)"""

# Of every pair that people decided about: were its records one person when both were last somebody?
_BELIEVED_TOGETHER = """
select left_id, right_id from (
  select distinct on (d.left_record_id, d.right_record_id) d.left_record_id as left_id, d.right_record_id as right_id,
         l.person_id = r.person_id as is_one
    from (select distinct left_record_id, right_record_id from identity.decision where withdrawn_at is null) d
    join identity.membership l on l.source_record_id = d.left_record_id
    join identity.membership r on r.source_record_id = d.right_record_id
     and l.known_from < coalesce(r.known_to, 'infinity') and r.known_from < coalesce(l.known_to, 'infinity')
   order by 1, 2, greatest(l.known_from, r.known_from) desc) last_met where is_one order by 1, 2"""

# What is told of records since the last run read them, beside what it read. The four parts are those of rule KEY-007.
_SINCE = """
with seen as (select persons_seen as mark from ledger.link_run order by link_run_id desc limit 1),
fresh as (select p.* from identity.source_person p, seen where known_to is null and version_id > mark),
prior as (
  select distinct on (o.source_record_id) o.* from identity.source_person o, seen
   where o.version_id <= mark and o.source_record_id in (select source_record_id from fresh)
   order by o.source_record_id, o.version_id desc),
told as (
  select n.source_record_id,
         n.birth_date <> o.birth_date as is_born_again,
         {number} as is_renumbered, {forename} as has_other_forename, {surname} as has_other_surname
    from fresh n join prior o using (source_record_id))
select source_record_id, coalesce(is_renumbered, false),
       coalesce(is_renumbered and is_born_again and has_other_forename and has_other_surname, false)
  from told order by 1"""
_OTHER = "{0}n.{2}{1} <> {0}o.{2}{1}"
_LETTERS = "nullif(upper(regexp_replace(", ", '[^[:alnum:]]', '', 'g')), '')"  # another way of writing is no change

# Everything a link run depends on, in one digest: the same digest, the same result (linkage handbook 3).
_INPUT_DIGEST = """
select encode(sha256(convert_to(concat_ws('|', %(model)s::text,
  (select string_agg(source_record_id || ':' || row_digest, ',' order by source_record_id)
     from identity.source_person where known_to is null),
  (select string_agg(source || ':' || address_key || ':' || row_digest, ',' order by source, address_key)
     from identity.source_address where known_to is null),
  (select string_agg(source || ':' || reference_key || ':' || row_digest, ',' order by source, reference_key)
     from identity.source_reference where known_to is null),
  (select string_agg(source || ':' || cross_reference_key || ':' || row_digest, ','
          order by source, cross_reference_key)
     from identity.cross_reference where known_to is null),
  (select string_agg(concat_ws(':', source_record_id, status, coalesce(matched_number, ''), asked_digest), ','
          order by source_record_id)
     from identity.trace_answer where known_to is null),
  (select string_agg(concat_ws(':', d.left_record_id, d.right_record_id, answer, n.notice_id), ','
          order by d.decision_id, n.notice_id)
     from identity.decision d left join ledger.notice n using (decision_id) where withdrawn_at is null),
  (select string_agg(source_record_id || ':' || coalesce(other_record_id, 0), ',' order by entry_id)
     from identity.do_not_link where ended_at is null)), 'UTF8')), 'hex')"""


@dataclass(frozen=True, slots=True)
class Sources:
    """The current source rows."""

    persons: pa.Table
    addresses: pa.Table
    references: pa.Table


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different since a run: the records concerned, and all current source rows of theirs."""

    records: pa.Table  # record_id: new, different or gone
    rows: Sources


@dataclass(frozen=True, slots=True)
class Before:
    """What the run before left: its digest and model, one digest a record, and the current edges."""

    input_digest: str
    model_version: str
    standard_digests: pa.Table
    edges: pa.Table


@dataclass(frozen=True, slots=True)
class Decision:
    """One active human decision about a pair, left before right."""

    left: int
    right: int
    answer: str
    reviewer: str
    is_authorised: bool = False  # an authorised notice stands behind it (governance PRO-3)


@dataclass(frozen=True, slots=True)
class KeptApart:
    """An entry of the do-not-link list: a record that joins no other, or that never joins `other` (the larger)."""

    record: int
    other: int | None
    officer: str


@dataclass(frozen=True, slots=True)
class Believed:
    """Who was who until now, of the records a run looks at, and the persons concerned."""

    person_of: Mapping[int, str]
    people: Mapping[str, KnownPerson]
    next_number: int


def input_digest(connection: Connection, model_version: str) -> str:
    """The digest of everything a run under `model_version` would read."""
    return str(connection.exec_driver_sql(_INPUT_DIGEST, {"model": model_version}).scalar_one())


def last_run(connection: Connection) -> tuple[str, str] | None:
    """Input digest and model version of the last completed link run; None before the first."""
    row = connection.exec_driver_sql(
        "select input_digest, model_version from ledger.link_run order by link_run_id desc limit 1"
    ).one_or_none()
    return (str(row[0]), str(row[1])) if row else None


def last_run_id(connection: Connection) -> str | None:
    """The id of the last completed link run; None before the first."""
    row = connection.exec_driver_sql(
        "select run_id from ledger.link_run order by link_run_id desc limit 1"
    ).one_or_none()
    return str(row[0]) if row else None


def read_sources(store: Store) -> Sources:
    """All current source rows."""
    return _read(store, "true")


def read_versions(store: Store) -> pa.Table:
    """kind, version_id, record_id of every current row a run reads; to be read before the rows themselves."""
    return store.read_arrow("linker", _VERSIONS)


def read_changes(store: Store, records: pa.Table) -> Changes:
    """The current source rows of those records (`record_id`), which a run has found to be different."""
    numbers = ",".join(str(int(number)) for number in records["record_id"].to_pylist())
    return Changes(records, _read(store, f"source_record_id = any('{{{numbers}}}'::bigint[])"))


def _read(store: Store, chosen: str) -> Sources:
    queries = (query.format(chosen=chosen) for query in (_PERSONS, _ADDRESSES, _REFERENCES))
    return Sources(*(store.read_arrow("linker", query) for query in queries))


def read_before(store: Store, digest: str, model_version: str) -> Before:
    """What the last run left for this one."""
    digests = store.read_arrow(
        "linker",
        "select source_record_id as record_id, standard_digest, detail_digest from identity.standardised_record "
        "order by 1",
    )
    return Before(digest, model_version, digests, store.read_arrow("linker", _EDGES))


def read_decisions(connection: Connection) -> list[Decision]:
    """Active human decisions, oldest first."""
    rows = connection.exec_driver_sql(
        """select left_record_id, right_record_id, answer, reviewer,
             exists (select from ledger.notice n where n.decision_id = d.decision_id)
             from identity.decision d where withdrawn_at is null order by decision_id"""
    )
    return [Decision(int(row[0]), int(row[1]), str(row[2]), str(row[3]), bool(row[4])) for row in rows]


def read_believed_together(connection: Connection) -> frozenset[tuple[int, int]]:
    """The pairs under a decision whose records were last believed to be one person, also if one has left since."""
    return frozenset((int(row[0]), int(row[1])) for row in connection.exec_driver_sql(_BELIEVED_TOGETHER))


def read_kept_apart(connection: Connection) -> list[KeptApart]:
    """The do-not-link list as it is now (governance PRO-4)."""
    rows = connection.exec_driver_sql(
        """select source_record_id, other_record_id, officer from identity.do_not_link
            where ended_at is null order by entry_id"""
    )
    return [KeptApart(int(record), None if other is None else int(other), str(who)) for record, other, who in rows]


def read_since(connection: Connection, memberships: pa.Table) -> Since:
    """What became of records since the last run: who changed, who bears another number, who is somebody else now, and
    who, of those in `memberships`, had left. Nothing after a run that did not note what it had read."""
    parts = {"number": "nhs_number_supplied", "forename": "forename", "surname": "surname"}
    query = _SINCE.format(**{name: _OTHER.format(*_LETTERS, column) for name, column in parts.items()})
    told = [(int(row[0]), bool(row[1]), bool(row[2])) for row in connection.exec_driver_sql(query)]
    return Since(
        changed=frozenset(record for record, _, _ in told),
        renumbered=frozenset(record for record, is_renumbered, _ in told if is_renumbered),
        reborn=frozenset(record for record, _, is_reborn in told if is_reborn),
        returned=left_before(memberships),
    )


def left_before(memberships: pa.Table) -> frozenset[int]:
    """The records of the memberships read that were nobody's when the last run ended."""
    import pyarrow.compute as pc

    gone = memberships.filter(pc.invert(memberships["is_current"]))
    return frozenset(gone["record_id"].to_pylist())


def last_person_version(connection: Connection) -> int | None:
    """The last version of a source person's row there is: what a run that begins now reads."""
    return connection.exec_driver_sql(  # type: ignore[no-any-return]
        "select max(version_id) from identity.source_person"
    ).scalar_one()


def read_memberships(store: Store) -> pa.Table:
    """record_id, person_id, reason, is_current: the last membership of every record, also of records that have left.

    A person who became part of another since counts as that other: a record that comes back then finds those it
    belongs to now, not an id that somebody else holds.
    """
    return store.read_arrow("linker", _MEMBERSHIPS)


def read_believed(connection: Connection, person_of: Mapping[int, str]) -> Believed:
    """The persons that `person_of` names, with those they redirect to, and the number of the next person to be born."""
    rows = connection.exec_driver_sql(
        """with recursive concerned(person_id) as (
             select unnest(%(names)s::text[])
             union
             select p.superseded_by from identity.person p join concerned using (person_id)
               where p.superseded_by is not null
           )
           select person_id, birth_number, status, superseded_by from identity.person
             join concerned using (person_id)""",
        {"names": sorted(set(person_of.values()))},
    )
    people = {row[0]: KnownPerson(*row) for row in rows}
    last = connection.exec_driver_sql("select coalesce(max(birth_number), 0) from identity.person").scalar_one()
    return Believed(person_of, people, int(last) + 1)
