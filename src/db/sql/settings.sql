-- settings: what a session of our own is set to.  Never sent to a transaction
-- pooler, where it would reach other clients.
-- $1 text  statement_timeout in ms
-- $2 text  role, or null
select set_config('statement_timeout', $1::text, false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('default_transaction_read_only', 'off', false),
       case when $2::text is not null then set_config('role', $2::text, false) end
