-- health: what is wrong with the server, the worst first.
-- $1 bigint  ms after which a transaction is old
select coalesce(json_agg(json_build_object('level', h.level, 'check', h.name, 'subject', h.subject, 'finding', h.finding,
                                           'fix', h.fix)
                         order by case h.level when 'error' then 0 else 1 end), '[]') as health
  from pgcrew.health($1::bigint) h where h.level <> 'ok'
