-- health: figures of the server, and what is wrong with them.
-- $1 bigint  ms after which a transaction is old
select name, subject, level, value, finding, fix
  from pgcrew.health($1::bigint)
