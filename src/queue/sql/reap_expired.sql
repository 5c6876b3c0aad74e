-- reap_expired: holders of any host whose lease is over; their jobs go back.
select name, slot, jobs
  from pgcrew.reap_expired(p_second_look => true)
