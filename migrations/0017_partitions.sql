-- Chunks by day and events by month, so that retention drops a partition instead of deleting its rows. The tables as they
-- are become the first partition of each: nothing is copied. Newer partitions are made ahead of time by the engine
-- (engine/storage/partitions.ts); there is no default partition, because its rows would block making the right one.
alter table chunk rename to chunk_before;
alter table chunk_before rename constraint chunk_pkey to chunk_before_pkey;
alter index chunk_order rename to chunk_before_order;
create table chunk (like chunk_before) partition by range (t0);
alter table chunk add primary key (tenant_id, device_id, t0, source, seq0);
create index chunk_order on chunk using brin (t0, seq1) with (pages_per_range = 32);
alter table chunk alter column data set storage external;

-- An event's time joins its key, which a partitioned table needs; the same event always has the same time.
alter table event rename to event_before;
alter table event_before drop constraint event_pkey;
alter table event_before add constraint event_before_pkey primary key (tenant_id, seq, idx, at_ms);
alter index event_subject rename to event_before_subject;
create table event (like event_before including constraints) partition by range (at_ms);
alter table event add primary key (tenant_id, seq, idx, at_ms);
create index event_subject on event (tenant_id, subject, seq, idx);

alter table chunk enable row level security, force row level security;
alter table event enable row level security, force row level security;
create policy owner_all on chunk to heliograph_owner using (true) with check (true);
create policy owner_all on event to heliograph_owner using (true) with check (true);
create policy tenant_only on chunk to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on event to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on chunk, event to heliograph_app;

-- Partitions are reached through their parent and its policies only.
revoke all on chunk_before, event_before from heliograph_app, heliograph_engine;
drop policy owner_all on chunk_before;
drop policy tenant_only on chunk_before;
drop policy owner_all on event_before;
drop policy tenant_only on event_before;
alter table chunk_before no force row level security, disable row level security;
alter table event_before no force row level security, disable row level security;

-- Up to a day after everything there is and the end of tomorrow.
do $$
declare
  day constant bigint := 86400000;
  tomorrow constant bigint := (floor(extract(epoch from now()) / 86400) + 2)::bigint * day;
  chunks constant bigint := (select greatest(tomorrow, coalesce((max(t0) / day + 1) * day, 0)) from chunk_before);
  events constant bigint := (select greatest(tomorrow, coalesce((max(at_ms) / day + 1) * day, 0)) from event_before);
begin
  execute format('alter table chunk attach partition chunk_before for values from (minvalue) to (%s)', chunks);
  execute format('alter table event attach partition event_before for values from (minvalue) to (%s)', events);
end $$;
