"""People whom readers had seen as two and whom a run made one by itself: made visible, to be looked at (handbook 12).

Joining goes on, because what is believed may not depend on the order in which records came; whoever looks afterwards
answers by a decision about the pair, which takes the two off this list, or parts them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.run import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from linkage.identity import Assignment


@dataclass(frozen=True, slots=True)
class JoinedBySelf:
    """Two people of earlier releases that a run joined: who was retired, into whom, since when, by which records."""

    lost: str
    kept: str
    since: datetime
    one: int
    other: int
    rule: str
    releases: int  # that showed the one who was retired
    sent: int  # returns fit to be sent among what was prepared from these


def joined_by_runs(connection: Connection, lost: Iterable[str] | None = None) -> tuple[JoinedBySelf, ...]:
    """Every such pair of people that is still joined and that nobody has decided about, the latest first.

    `lost` limits them to these retired persons (role `linker`).
    """
    rows = connection.exec_driver_sql(_JOINED, {"lost": None if lost is None else sorted(lost)})
    return tuple(JoinedBySelf(*row) for row in rows)


def findings(connection: Connection, assignment: Assignment) -> tuple[Finding, ...]:
    """What a run has to tell: how many people whom readers had seen it joined by itself, asked after it has written."""
    lost = [change.person_id for change in assignment.changes if change.superseded_by is not None]
    joined = joined_by_runs(connection, lost) if lost else ()
    if not joined:
        return ()
    sent = sum(one.sent > 0 for one in joined)
    message = (
        f"{len(joined)} people whom readers had seen were joined to others by rule; "
        f"returns were prepared from releases that showed {sent} of them"
    )
    remedy = "see `onestory decide joined`; decide same or not_same about each, and list recipients where they are two"
    return (Finding("ESTABLISHED_JOINED", message, remedy),)


# A retired person whose records are, at least in part, still with the one they redirect to; the strongest link between
# the two sides is what joined them. Decided are those between whose records a person said "same" or "not the same".
_JOINED: Final = """
with recursive heir(lost, kept) as (
  select person_id, superseded_by from identity.person
   where superseded_by is not null and (%(lost)s::text[] is null or person_id = any(%(lost)s))
  union select h.lost, p.superseded_by from heir h join identity.person p on p.person_id = h.kept
   where p.superseded_by is not null),
side as (
  select h.lost, h.kept, m.source_record_id, min(n.known_from) as since
    from heir h join identity.membership m on m.person_id = h.lost and m.known_to is not null
    join identity.membership n on n.source_record_id = m.source_record_id and n.person_id = h.kept
     and n.known_to is null group by 1, 2, 3),
across as (
  select s.lost, s.kept, s.since, s.source_record_id as one, m.source_record_id as other
    from side s join identity.membership m on m.person_id = s.kept and m.known_to is null
   where not exists (select from side t where (t.lost, t.source_record_id) = (s.lost, m.source_record_id))),
linked as (
  select a.*, coalesce(k.rule, 'joined_by_other_links') as rule, k.match_weight, d.decision_id
    from across a
    left join identity.link k on k.known_to is null and k.decision = 'link'
     and (k.left_record_id, k.right_record_id) = (least(a.one, a.other), greatest(a.one, a.other))
    left join identity.decision d on d.withdrawn_at is null and d.answer <> 'cannot_tell'
     and (d.left_record_id, d.right_record_id) = (least(a.one, a.other), greatest(a.one, a.other))),
found as (
  select distinct on (lost, kept) lost, kept, min(since) over (partition by lost, kept) as since, one, other, rule
    from linked where lost not in (select lost from linked where decision_id is not null)
   order by lost, kept, rule = 'joined_by_other_links', match_weight desc nulls last, one, other)
select f.lost, f.kept, f.since, f.one, f.other, f.rule, seen.releases, sent.returns
  from found f
  cross join lateral (select count(distinct release)::int as releases, array_agg(distinct release) as numbers
                        from ledger.shown_in_release where person_id = f.lost) seen
  cross join lateral (select count(*)::int as returns from ledger.prepared_return
                       where status = 'submission' and release = any(seen.numbers)) sent
 where seen.releases > 0 and exists (select from ledger.shown_in_release where person_id = f.kept)
 order by f.since desc, f.lost"""
