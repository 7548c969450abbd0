-- Requests that carried an Idempotency-Key, for a day: what was asked and answered, sealed by the tenant's data key, because
-- an answer may hold a secret that is shown once (engine/api/idempotency.ts). The key itself is kept as its hash.
create table api_idempotency (
  tenant_id uuid not null references tenant,
  -- User or API key: nobody gets another one's answer by guessing a key.
  actor_id text not null check (length(actor_id) between 1 and 200),
  key_sha256 bytea not null check (length(key_sha256) = 32),
  state text not null check (state in ('running', 'done')),
  sealed bytea not null,
  started_ms unix_ms not null,
  expires_ms unix_ms not null,
  primary key (tenant_id, actor_id, key_sha256)
);
create index api_idempotency_expires on api_idempotency (tenant_id, expires_ms);

alter table api_idempotency enable row level security, force row level security;
create policy owner_all on api_idempotency to heliograph_owner using (true) with check (true);
create policy tenant_only on api_idempotency to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on api_idempotency to heliograph_app;
