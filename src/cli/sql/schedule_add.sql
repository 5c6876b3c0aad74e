-- schedule_add: make or change a schedule; next_at: when it is due, null while it is paused.
-- $1 text name, $2 text cron, $3 text kind, $4 text payload, $5 text time zone, $6 text queue
-- $7 int priority, $8 int max_attempts, $9 text catch_up, $10 bool overlap, $11 text who says so
-- what: seen as it was before.
select $1::text as name,
       case when exists (select from pgcrew.schedules s where s.name = $1::text) then 'changed' else 'added' end as what,
       pgcrew.put_schedule($1::text, $2::text, $3::text, $4::text::jsonb, $5::text, $6::text, $7::int, $8::int,
                           $9::text, $10::bool, $11::text) as next_at
