-- People: several roles each, the sites that limit what they see, a second factor, invitations, and what a tenant changes
-- about roles. A token now names its tenant (engine/storage/tenant-token.ts), so sessions are looked up as that tenant's
-- app role, and the engine role loses them; it keeps the look-up of a name at sign-in, when no tenant is known yet.
alter table app_user
  add column roles text[],
  -- Site ids; null = all.
  add column sites text[] check (cardinality(sites) <= 1000),
  add column last_sign_in_ms unix_ms;
update app_user set roles = array[role];
alter table app_user
  drop column role,
  alter column roles set not null,
  add constraint app_user_roles_check check (cardinality(roles) between 1 and 16);

-- Cookies of before name no tenant: everybody signs in once more.
delete from session;
alter table session
  -- The address that signed in.
  add column source text check (length(source) <= 64),
  -- Break glass: until then this session reads that tenant, which may live in another database.
  add column grant_id uuid,
  add column grant_tenant uuid,
  add column grant_reason text check (length(grant_reason) <= 1000),
  add column grant_until_ms unix_ms,
  add constraint session_grant_check check (num_nulls(grant_id, grant_tenant, grant_reason, grant_until_ms) in (0, 4));
drop index session_token;
drop policy engine_cookie on session;
drop policy engine_expire on session;
revoke all on session from heliograph_engine;

-- The second factor (RFC 6238): one secret a person, in force once a code of it was shown.
create table user_totp (
  tenant_id uuid not null,
  user_id uuid not null,
  -- By the vault, under `user:<id>` and `totp`.
  key_version int not null,
  sealed bytea not null,
  begun_ms unix_ms not null,
  confirmed_ms unix_ms,
  -- The time step of the last code taken: it and earlier ones are never taken again.
  last_step bigint not null default 0,
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references app_user on delete cascade
);

-- SHA-256 of codes of 80 random bits; a used one is deleted.
create table user_recovery_code (
  tenant_id uuid not null,
  user_id uuid not null,
  code_sha256 bytea not null check (length(code_sha256) = 32),
  primary key (tenant_id, user_id, code_sha256),
  foreign key (tenant_id, user_id) references app_user on delete cascade
);

-- A tenant's own roles; and of built-in ones (permissions null) only whether they demand a second factor.
create table tenant_role (
  tenant_id uuid not null references tenant,
  name text not null check (name ~ '^[a-z][a-z0-9_-]{0,63}$'),
  permissions text[] check (cardinality(permissions) <= 100),
  second_factor_required boolean not null default false,
  primary key (tenant_id, name)
);

create table invitation (
  tenant_id uuid not null references tenant,
  invitation_id uuid not null,
  token_sha256 bytea not null check (length(token_sha256) = 32),
  note text not null check (length(note) <= 200),
  roles text[] not null check (cardinality(roles) between 1 and 16),
  sites text[] check (cardinality(sites) <= 1000),
  created_ms unix_ms not null,
  expires_ms unix_ms not null,
  -- Null = the platform, for a tenant's first administrator. Who leaves takes their invitations along.
  by_user uuid,
  by_name text not null check (length(by_name) <= 200),
  primary key (tenant_id, invitation_id),
  unique (tenant_id, token_sha256),
  foreign key (tenant_id, by_user) references app_user on delete cascade
);

alter table user_totp enable row level security, force row level security;
alter table user_recovery_code enable row level security, force row level security;
alter table tenant_role enable row level security, force row level security;
alter table invitation enable row level security, force row level security;

create policy owner_all on user_totp to heliograph_owner using (true) with check (true);
create policy owner_all on user_recovery_code to heliograph_owner using (true) with check (true);
create policy owner_all on tenant_role to heliograph_owner using (true) with check (true);
create policy owner_all on invitation to heliograph_owner using (true) with check (true);

create policy tenant_only on user_totp to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on user_recovery_code to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on tenant_role to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on invitation to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

grant select, insert, update, delete on user_totp, user_recovery_code, tenant_role, invitation to heliograph_app;
