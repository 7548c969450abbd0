-- The record of every mutating act, one chain per tenant (engine/audit/entry.ts). Nobody has UPDATE or DELETE.
create table audit_entry (
  tenant_id uuid not null references tenant,
  -- 1, 2, 3 ... without a gap.
  seq bigint not null check (seq > 0),
  at_ms unix_ms not null,
  actor_kind text not null check (actor_kind in ('user', 'apiKey', 'local', 'system')),
  actor_id text not null check (length(actor_id) <= 200),
  actor_name text not null check (length(actor_name) <= 200),
  source text check (length(source) <= 64),
  action text not null check (action ~ '^[a-z][A-Za-z-]*([.][a-z][A-Za-z-]*)+$'),
  object_kind text not null,
  object_id text not null,
  object_name text not null,
  before jsonb,
  after jsonb,
  reason text,
  -- SHA-256 of the row before, and of this one over it: notes of engine/audit/entry.ts.
  previous bytea not null check (length(previous) = 32),
  hash bytea not null check (length(hash) = 32),
  primary key (tenant_id, seq)
);
create index audit_entry_at on audit_entry (tenant_id, at_ms);

alter table audit_entry enable row level security, force row level security;
create policy owner_all on audit_entry to heliograph_owner using (true) with check (true);
create policy tenant_only on audit_entry to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert on audit_entry to heliograph_app;
