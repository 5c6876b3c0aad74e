-- claimed: what is in the hands of workers, and how many workers there are.
select (select coalesce(sum(cardinality(c.job_ids)), 0) from pgcrew.claims c)::bigint as claimed,
       (select count(*) from pgcrew.workers w where w.seen_at + w.lease > clock_timestamp()) as live,
       (select count(*) from pgcrew.workers w where w.seen_at + w.lease <= clock_timestamp()) as lost
