-- release_claims: whole claims go back as they were: this process never heard
-- that they had been made.
-- $1 bigint    holder
-- $2 bigint[]  tokens
select pgcrew.release_claims($1::bigint, $2::bigint[])
