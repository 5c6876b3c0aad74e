-- relax: the transaction that ends with this is answered before it is on disk (database.durability).
select set_config('synchronous_commit', 'off', true)
