-- A tenant's life: its tier and whether it is suspended, the quotas that were set for it by hand, and what it decides for
-- itself. Tenants of before keep what they had: the widest tier.
alter table tenant
  add column tier text not null default 'large' check (tier in ('small', 'medium', 'large')),
  add column suspended boolean not null default false;

-- protocol/quota.ts names them; what is not here has the tier's own limit.
create table tenant_quota (
  tenant_id uuid not null references tenant,
  name text not null check (length(name) between 1 and 64),
  most bigint not null check (most >= 0),
  primary key (tenant_id, name)
);

-- No row = the engine's own settings (engine/config.ts).
create table tenant_settings (
  tenant_id uuid primary key references tenant,
  -- Grows with every change: the ETag.
  rev bigint not null check (rev > 0),
  sample_days integer not null check (sample_days between 1 and 3660),
  event_days integer not null check (event_days between 1 and 3660),
  journal_days integer not null check (journal_days between 1 and 3660),
  subscriber_identities boolean not null,
  subscriber_days integer not null check (subscriber_days between 7 and 30),
  session_hours integer not null check (session_hours between 1 and 168)
);

alter table tenant_quota enable row level security, force row level security;
alter table tenant_settings enable row level security, force row level security;
create policy owner_all on tenant_quota to heliograph_owner using (true) with check (true);
create policy owner_all on tenant_settings to heliograph_owner using (true) with check (true);
create policy tenant_only on tenant_quota to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on tenant_settings to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on tenant_quota to heliograph_app;
grant select, insert, update on tenant_settings to heliograph_app;
