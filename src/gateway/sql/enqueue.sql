-- enqueue: put jobs in as the user.  The first column is null when the second says why.
-- $1 jsonb  {"kind", "payload" or "payloads", "batch_id"}
with asked as materialized (select $1::jsonb as body),
checked as materialized (
  select body,
         case when jsonb_typeof(body) <> 'object' then 'the body must be a JSON object'
              when exists (select from jsonb_object_keys(body) k
                            where k not in ('kind', 'payload', 'payloads', 'batch_id'))
              then 'the body may have kind, payload, payloads and batch_id only'
              when jsonb_typeof(body -> 'kind') is distinct from 'string' then 'kind must be a string'
              when body ? 'payload' and body ? 'payloads' then 'payload or payloads, not both'
              when jsonb_typeof(body -> 'batch_id') not in ('string', 'null') then 'batch_id must be a UUID'
         end as wrong
    from asked)
select case when wrong is null
            then public.enqueue_jobs(body ->> 'kind',
                                     coalesce(body -> 'payloads', jsonb_build_array(coalesce(body -> 'payload', '{}'))),
                                     (body ->> 'batch_id')::uuid) end,
       wrong
  from checked
