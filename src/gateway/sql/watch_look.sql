-- watch_look: a text that is another one when something of a batch has changed.
-- $1 uuid  batch
-- What is not in it changes together with what is: the same expression is in watch_see.sql.
select count(*) || '/' || coalesce(sum(hash_record_extended(row(j.status, j.progress, j.progress_note, j.attempts), j.id)), 0)
  from public.jobs j
 where j.batch_id = $1::uuid
