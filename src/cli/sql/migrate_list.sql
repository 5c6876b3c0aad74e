-- migrate_list: the migrations that have been applied.
select version, file, applied_at from pgcrew.migrations order by version
