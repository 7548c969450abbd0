-- What a replay starts from and proves itself by: the hash of the live twin at each snapshot, and one snapshot of each
-- hour kept for as long as the journal behind it (engine/storage/snapshots.ts, engine/replay).
alter table snapshot
  add column state_hash text check (state_hash ~ '^[0-9a-f]{16}$'),
  add column checkpoint boolean not null default false;
create index snapshot_checkpoint on snapshot (tenant_id, at_ms) where checkpoint;

-- One row per snapshot that was ever taken: what the live twin was at that input. Small, so all of them are kept.
create table state_mark (
  tenant_id uuid not null,
  seq bigint not null,
  at_ms unix_ms not null,
  state_hash text not null check (state_hash ~ '^[0-9a-f]{16}$'),
  primary key (tenant_id, seq)
);
alter table state_mark enable row level security, force row level security;
create policy owner_all on state_mark to heliograph_owner using (true) with check (true);
create policy tenant_only on state_mark to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on state_mark to heliograph_app;
grant update (checkpoint) on snapshot to heliograph_app;
