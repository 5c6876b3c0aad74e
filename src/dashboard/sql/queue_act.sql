-- queue_act: pause or resume a queue: 1, or 0 when it was so before.
-- $1 text pause or resume, $2 text queue, $3 text who
select (case $1::text when 'pause' then pgcrew.pause_queue($2::text, $3::text)
                      else pgcrew.resume_queue($2::text) end)::int::bigint as done
