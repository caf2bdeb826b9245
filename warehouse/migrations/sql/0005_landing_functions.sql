-- Text to value, never raising: null means "cannot be read". Conforming keeps the text beside the value.
set role onestory_owner;

create table landing.code_map (
  source text not null, code_set text not null, raw text not null, clean text not null,
  primary key (source, code_set, raw)
);

create function landing.text_or_null(value text) returns text language sql immutable parallel safe
return nullif(btrim(regexp_replace(value, '\s+', ' ', 'g')), '');

create function landing.id_or_null(value text) returns text language sql immutable parallel safe
return case when upper(btrim(value)) in ('', '-1', '0', 'NULL', 'N/A') then null else btrim(value) end;

create function landing.number_or_null(value text) returns numeric language sql immutable parallel safe
return case when btrim(value) ~ '^-?[0-9]{1,15}(\.[0-9]{1,6})?$' then btrim(value)::numeric end;

-- The shape is asked first, then whether there is such a day; both are cheap, a failed cast would end the whole run.
-- Single expressions that the planner takes into the query: a function with captured groups cost 400 times as much.

-- '29 Sep 2011 14:53:28', '29 Sep 2011 14:53', '29 Sep 2011', '29-SEP-2011'
create function landing.moment_dmon(value text) returns timestamp language sql stable parallel safe
return case when value ~ '^ *[0-9]{1,2}[ -][A-Za-z]{3}[ -][0-9]{4}( ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?)? *$'
             and pg_input_is_valid(value, 'timestamp') then value::timestamp end;

-- 'DD/MM/YYYY HH24:MI:SS', 'DD/MM/YYYY'; rearranged, so that no session's date style can exchange day and month
create function landing.moment_slash(value text) returns timestamp language sql stable parallel safe
return case when value ~ '^[0-9]{2}/[0-9]{2}/[0-9]{4}( ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?)? *$'
             and pg_input_is_valid(substr(value, 7, 4) || '-' || substr(value, 4, 2) || '-' || substr(value, 1, 2)
                                   || substr(value, 11), 'timestamp')
            then (substr(value, 7, 4) || '-' || substr(value, 4, 2) || '-' || substr(value, 1, 2)
                  || substr(value, 11))::timestamp end;

-- '2026-03-31 01:02:03.123', '2026-03-31T01:02:03', '2026-03-31'
create function landing.moment_iso(value text) returns timestamp language sql stable parallel safe
return case when value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?)? *$'
             and pg_input_is_valid(value, 'timestamp') then value::timestamp end;
reset role;
