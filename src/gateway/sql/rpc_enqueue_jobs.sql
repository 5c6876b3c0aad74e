-- rpc_enqueue_jobs: public.enqueue_jobs() with arguments by name.  The first column is null when they do
-- not fit; then the second names them.
-- $1 jsonb  the arguments
with asked as materialized (select $1::jsonb as a),
named as materialized (
  select a, array(select k from jsonb_object_keys(case when jsonb_typeof(a) = 'object' then a else '{}' end) k
                   order by k) as names
    from asked),
checked as materialized (
  select a, names, names @> '{kind,payloads}' and names <@ '{kind,payloads,batch_id}' as fits from named)
select case when fits then public.enqueue_jobs(a ->> 'kind', a -> 'payloads', (a ->> 'batch_id')::uuid) end,
       case when not fits then array_to_string(names, ', ') end
  from checked
