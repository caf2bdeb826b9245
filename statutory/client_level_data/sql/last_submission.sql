-- The last file of an earlier release that was fit to be sent.
select facts ->> 'path' as path,
       file_sha256,
       period_start,
       period_end
  from ledger.prepared_return
 where collection = 'client_level_data' and status = 'submission' and release < %(release)s
 order by release desc, return_id desc
 limit 1
