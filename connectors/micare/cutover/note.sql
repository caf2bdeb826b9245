-- Notes and documents of each client, as headings; former surnames and other systems' numbers kept as headings are none.
select btrim(client_no) as person_key, count(*) as notes
  from landing.micare__note_heading
 where known_to is null and not is_removed and upper(btrim(note_type)) not in ('FNAME', 'EXTNO')
 group by btrim(client_no)
