-- limit_time: how long each of the next statements of this transaction may take.
-- $1 text  milliseconds
select set_config('statement_timeout', $1::text, true)
