-- release_unknown: what this holder has and its process does not know of goes back.
-- $1 bigint    holder
-- $2 bigint[]  jobs it knows of
select pgcrew.release_unknown($1::bigint, $2::bigint[])
