-- rpc_batch_status: public.batch_status() with arguments by name.  The first column is null when they do
-- not fit; then the second names them.
-- $1 jsonb  the arguments
with asked as materialized (select $1::jsonb as a),
named as materialized (
  select a, array(select k from jsonb_object_keys(case when jsonb_typeof(a) = 'object' then a else '{}' end) k
                   order by k) as names
    from asked),
checked as materialized (
  select a, names, names @> '{batch_id}' and names <@ '{batch_id,job_limit}' as fits from named)
select case when fits then public.batch_status((a ->> 'batch_id')::uuid,
                                              case when a ? 'job_limit' then (a ->> 'job_limit')::int else 100 end) end,
       case when not fits then array_to_string(names, ', ') end
  from checked
