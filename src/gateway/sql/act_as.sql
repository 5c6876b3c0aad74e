-- act_as: what follows in this transaction is a user's; nothing of it outlives the transaction.
-- $1 text  role
-- $2 text  claims of the token, JSON
-- $3 text  method of the request
-- $4 text  path of the request
-- $5 text  statement_timeout in ms
-- $6 text  transaction_read_only, on or off
select set_config('role', $1::text, true),
       set_config('request.jwt.claims', $2::text, true),
       set_config('request.method', $3::text, true),
       set_config('request.path', $4::text, true),
       set_config('statement_timeout', $5::text, true),
       set_config('search_path', 'public, pg_temp', true),
       set_config('transaction_read_only', $6::text, true)
