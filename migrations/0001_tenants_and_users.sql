-- Tenants, their users and sessions. Rules of every table with a tenant_id (engine/storage/audit-rls.ts checks them):
-- FORCEd row security; the app role sees the tenant of `app.tenant_id` and nothing when it is unset; tenant_id opens every
-- unique key, so that a key violation never tells of another tenant's rows; the owner's policy lets migrations backfill.
-- `(select ...)` makes PostgreSQL read the setting once per statement, not once per row (3 times faster on scans).
create domain unix_ms as bigint check (value between 0 and 253402300799999);

create table tenant (
  tenant_id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null check (length(name) between 1 and 200),
  demo boolean not null,
  created_ms unix_ms not null
);

create table app_user (
  tenant_id uuid not null references tenant,
  user_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  -- PRODUCT.md, Roles and permissions.
  role text not null check (role in
    ('platform_admin', 'tenant_admin', 'manager', 'noc', 'engineer', 'technician', 'viewer', 'auditor')),
  -- PHC string: $argon2id$v=19$m=...,t=...,p=...$salt$hash
  password text not null,
  disabled boolean not null default false,
  created_ms unix_ms not null,
  primary key (tenant_id, user_id),
  unique (tenant_id, name)
);
-- The login's look-up by the engine role: not unique, because another tenant may have the same name.
create index app_user_name on app_user (name);

create table session (
  tenant_id uuid not null,
  -- SHA-256 of the token; the token itself is only in the browser.
  token_sha256 bytea not null check (length(token_sha256) = 32),
  user_id uuid not null,
  created_ms unix_ms not null,
  expires_ms unix_ms not null,
  primary key (tenant_id, token_sha256),
  foreign key (tenant_id, user_id) references app_user on delete cascade
);
create index session_token on session (token_sha256);
create index session_user_id on session (tenant_id, user_id);

alter table tenant enable row level security, force row level security;
alter table app_user enable row level security, force row level security;
alter table session enable row level security, force row level security;

create policy owner_all on tenant to heliograph_owner using (true) with check (true);
create policy owner_all on app_user to heliograph_owner using (true) with check (true);
create policy owner_all on session to heliograph_owner using (true) with check (true);

create policy tenant_only on tenant to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on app_user to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on session to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- What must be known before a tenant is: the list of tenants, who logs in, whose cookie this is.
create policy engine_all on tenant to heliograph_engine using (true) with check (true);
create policy engine_login on app_user for select to heliograph_engine using (true);
create policy engine_cookie on session for select to heliograph_engine using (true);
create policy engine_expire on session for delete to heliograph_engine using (true);

grant usage on schema heliograph to heliograph_app, heliograph_engine;
grant select on tenant to heliograph_app;
grant select, insert, update, delete on app_user, session to heliograph_app;
grant select, insert, update on tenant to heliograph_engine;
grant select on app_user to heliograph_engine;
grant select, delete on session to heliograph_engine;
