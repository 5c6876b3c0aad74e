-- Example: a job for every file that a user uploads to the bucket 'uploads', without
-- any code in the browser.  Paste it into the SQL editor after the migrations, and
-- change bucket and kind.
--
-- An upload must not fail because of its job: what goes wrong is a warning in the log.
-- Enqueuing in the browser after the upload (README) tells the user of errors, and
-- knows the batch; prefer that where you can.
create schema if not exists pgcrew_app;
revoke all on schema pgcrew_app from public, anon, authenticated;

create or replace function pgcrew_app.job_for_upload() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  perform pgcrew.enqueue(
    'thumbnail',
    jsonb_build_object('bucket', new.bucket_id, 'path', new.name),
    user_id => nullif(new.owner_id, '')::uuid);
  return null;
exception when others then
  raise warning 'no job for upload %: %', new.name, sqlerrm;
  return null;
end
$fn$;

revoke all on function pgcrew_app.job_for_upload() from public, anon, authenticated;

create or replace trigger pgcrew_job_for_upload
  after insert on storage.objects
  for each row when (new.bucket_id = 'uploads')
  execute function pgcrew_app.job_for_upload();
