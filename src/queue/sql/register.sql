-- register: a new lease holder for this worker process.
-- $1 uuid    process
-- $2 text    name of the host
-- $3 int     slot
-- $4 int     pid
-- $5 text    version of this program
-- $6 text[]  queues it serves
-- $7 text[]  kinds it has handlers for, null: any
-- $8 int     jobs at once
-- $9 int     lease in ms
-- tokens: the claims of this process's earlier sessions, which the new holder has now.
-- origin: a name of this database's queue that stays and that no other has.
-- numbers: of the queues, parallel to $6.
select holder, tokens, origin, numbers
  from pgcrew.register_worker($1::uuid, $2::text, $3::int, $4::int, $5::text, $6::text[],
                              $7::text[], $8::int, $9::int)
