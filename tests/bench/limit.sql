-- The least that a queue in PostgreSQL could be: what tests/bench/loop.c works on.
create schema bench;
create table bench.bare (id bigint generated always as identity primary key, payload jsonb not null);
create table bench.marked (
  id      bigint generated always as identity primary key,
  state   smallint not null default 0,
  payload jsonb not null
);
create index on bench.marked (id) where state = 0;
-- A job and that it waits.
create table bench.job (id bigint generated always as identity primary key, kind text not null, payload jsonb not null);
create table bench.waits (job_id bigint primary key);
