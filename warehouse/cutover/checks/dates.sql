-- Dates of the new system that are defaulted, fall on the day of the cut-over, lie far ahead or cannot be read, by column.
with odd as (
  unpivot (select dataset, column_name, filled, defaulted, cut_over_day, in_the_future, truncated from date_value)
  on defaulted, cut_over_day, in_the_future, truncated into name kind value found
)
select dataset || ' ' || column_name as grp, '' as old_key, '' as new_key, false as in_old, true as in_new,
       'differs' as verdict, replace(kind, '_', ' ') as why, filled::double as old_amount, found::double as new_amount
  from odd where found > 0
