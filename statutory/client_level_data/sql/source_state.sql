-- How far each source is known in a release of the given moment, and whether something after that waits.
with known as (
  select source,
         max(as_known_at) filter (where state = 'conformed' and as_known_at <= %(moment)s) as up_to
    from ledger.delivery
   group by source
)
select known.source,
       known.up_to,
       exists (
         select from ledger.delivery d
          where d.source = known.source and d.state in ('held', 'refused')
            and (known.up_to is null or d.as_known_at > known.up_to)
       ) as waiting
  from known
