-- MiCare's ways of writing (connectors/micare): dates DDMMYYYY with 00000000 for none, person numbers with a check letter.
-- Like the other landing functions these never raise: null means "cannot be read".
set role onestory_owner;

create function landing.day_ddmmyyyy(value text) returns date language sql stable parallel safe
return case when value ~ '^ *[0-9]{8} *$'
             and pg_input_is_valid(substr(btrim(value), 5, 4) || '-' || substr(btrim(value), 3, 2) || '-'
                                   || substr(btrim(value), 1, 2), 'date')
            then (substr(btrim(value), 5, 4) || '-' || substr(btrim(value), 3, 2) || '-'
                  || substr(btrim(value), 1, 2))::date end;

-- The letter of eight digits: digits times 9, 8 ... 2, added up, modulo 23, looked up in 23 letters. The same rule as
-- connectors/micare/person_number.py (an assumption); a test holds both together.
create function landing.micare_check_letter(digits text) returns text language sql immutable parallel safe
return case when digits ~ '^[0-9]{8}$' then substr('ABCDEFGHJKLMNPQRSTVWXYZ', 1 + mod(
         substr(digits, 1, 1)::int * 9 + substr(digits, 2, 1)::int * 8 + substr(digits, 3, 1)::int * 7
         + substr(digits, 4, 1)::int * 6 + substr(digits, 5, 1)::int * 5 + substr(digits, 6, 1)::int * 4
         + substr(digits, 7, 1)::int * 3 + substr(digits, 8, 1)::int * 2, 23), 1) end;

-- The whole number for one typed by hand, without leading zeros or letter; null when it cannot be one or the letter is
-- wrong.
create function landing.micare_person_number(typed text) returns text language sql immutable parallel safe
return case when upper(regexp_replace(typed, '\s', '', 'g')) ~ '^0*[0-9]{1,8}[A-Z]?$'
             and regexp_replace(upper(regexp_replace(typed, '\s', '', 'g')), '^.*[0-9]', '')
                 in ('', landing.micare_check_letter(lpad(ltrim(regexp_replace(typed, '[^0-9]', '', 'g'), '0'), 8, '0')))
            then lpad(ltrim(regexp_replace(typed, '[^0-9]', '', 'g'), '0'), 8, '0')
                 || landing.micare_check_letter(lpad(ltrim(regexp_replace(typed, '[^0-9]', '', 'g'), '0'), 8, '0')) end;
reset role;
