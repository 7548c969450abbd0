-- Rollups of the samples (engine/storage/rollup.ts): per device, collector and hour or day, packed per series. Each class of
-- resolution has a retention of its own, so each is a partition of its own, cut by time below (engine/storage/partitions.ts).
create table rollup (
  tenant_id uuid not null,
  device_id uuid not null,
  -- Length of a bucket. Seconds
  res integer not null,
  -- Begin of the first bucket.
  t0 unix_ms not null,
  source text not null,
  -- The entities whose hash modulo `parts` is `part`: a chart reads one of them, not the whole device.
  part smallint not null,
  parts smallint not null,
  data bytea not null,
  -- For percentiles only, so apart; null = this resolution has none.
  sketch bytea,
  primary key (tenant_id, device_id, res, t0, source, part)
) partition by list (res);
alter table rollup alter column data set storage external;
alter table rollup alter column sketch set storage external;

create table rollup_1m partition of rollup for values in (60) partition by range (t0);
create table rollup_5m partition of rollup for values in (300) partition by range (t0);
create table rollup_1h partition of rollup for values in (3600) partition by range (t0);
create table rollup_long partition of rollup for values in (86400, 604800, 2592000) partition by range (t0);

alter table rollup enable row level security, force row level security;
create policy owner_all on rollup to heliograph_owner using (true) with check (true);
create policy tenant_only on rollup to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
-- On the parent only: a partition that a role could read directly would go past the policy.
grant select, insert, update, delete on rollup to heliograph_app;

-- Newest poll in a chunk: where a start looks for hours that are not rolled up yet.
alter table history_mark add column newest_ms unix_ms not null default 0;

-- What is older than tomorrow, or that a restore or a slow clock brings later; newer partitions are made by the engine.
do $$
declare
  tomorrow bigint := (floor(extract(epoch from now()) / 86400) + 2) * 86400000;
begin
  execute format('create table rollup_1m_before partition of rollup_1m for values from (minvalue) to (%s)', tomorrow);
  execute format('create table rollup_5m_before partition of rollup_5m for values from (minvalue) to (%s)', tomorrow);
  execute format('create table rollup_1h_before partition of rollup_1h for values from (minvalue) to (%s)', tomorrow);
  execute format('create table rollup_long_before partition of rollup_long for values from (minvalue) to (%s)', tomorrow);
end $$;
