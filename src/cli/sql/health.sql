-- health: figures of the server, and what is wrong with them, the worst first.
-- $1 bigint  ms after which a transaction is old
select h.name, h.subject, h.level, h.value, h.finding, h.fix
  from pgcrew.health($1::bigint) h
 order by case h.level when 'error' then 0 when 'warn' then 1 else 2 end
