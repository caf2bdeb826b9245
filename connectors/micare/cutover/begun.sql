-- When each client's record was begun: the day the file says it was opened, or the first day we knew it if that is earlier.
select btrim(c.client_no) as person_key,
       min(least(landing.day_ddmmyyyy(c.opened), c.known_from::date)) as begun
  from landing.micare__client c
 where not c.is_removed
 group by btrim(c.client_no)
