-- become_user: for this transaction be what a signed-in browser is.
-- $1 uuid  user
select set_config('role', 'authenticated', true),
       set_config('request.jwt.claims',
                  json_build_object('sub', $1::uuid, 'role', 'authenticated')::text, true)
