-- settings: what a session of our own is set to.  Never sent to a transaction
-- pooler, where it would reach other clients.
-- A session whose client is cut off in the middle of a transaction holds its locks until
-- the server notices: that is what the keepalives are for.
-- $1 text  statement_timeout in ms
-- $2 text  role, or null
select set_config('statement_timeout', $1::text, false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('default_transaction_read_only', 'off', false),
       case when $2::text is not null then set_config('role', $2::text, false) end
