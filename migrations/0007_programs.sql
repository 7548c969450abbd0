-- How programs sign in (engine/programs), and whom an OpenID issuer means (engine/oidc). Of every secret only the SHA-256
-- is here: whoever reads these tables can use nothing of them.
create table api_key (
  tenant_id uuid not null,
  key_id uuid not null,
  -- Whose rights the key is cut down to at each use; the key dies with its owner.
  owner_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  -- The key's opening, to tell keys apart by eye.
  prefix text not null check (length(prefix) between 12 and 40),
  key_sha256 bytea not null check (length(key_sha256) = 32),
  scope text[] not null check (cardinality(scope) between 1 and 100),
  created_ms unix_ms not null,
  -- Null = until it is revoked.
  expires_ms unix_ms,
  -- Null = never; at most a minute old (engine/programs/last-used.ts).
  last_used_ms unix_ms,
  primary key (tenant_id, key_id),
  unique (tenant_id, key_sha256),
  foreign key (tenant_id, owner_id) references app_user on delete cascade
);
create index api_key_owner on api_key (tenant_id, owner_id);

-- One sign-in of a program and all the tokens that follow from it, ended as one.
create table token_family (
  tenant_id uuid not null,
  family_id uuid not null,
  user_id uuid not null,
  -- Of the half of the refresh token that stays the same in this family: an old token is known by it.
  family_sha256 bytea not null check (length(family_sha256) = 32),
  -- Of the one refresh token that still works.
  refresh_sha256 bytea not null check (length(refresh_sha256) = 32),
  created_ms unix_ms not null,
  -- However often it is refreshed.
  expires_ms unix_ms not null,
  primary key (tenant_id, family_id),
  unique (tenant_id, family_sha256),
  foreign key (tenant_id, user_id) references app_user on delete cascade
);
create index token_family_user on token_family (tenant_id, user_id, created_ms);

create table access_token (
  tenant_id uuid not null,
  token_sha256 bytea not null check (length(token_sha256) = 32),
  family_id uuid not null,
  expires_ms unix_ms not null,
  primary key (tenant_id, token_sha256),
  foreign key (tenant_id, family_id) references token_family on delete cascade
);
create index access_token_family on access_token (tenant_id, family_id, expires_ms);

-- The person that an issuer names by `sub` (OpenID Connect Core s5.7: issuer and subject together, never a name or mail).
create table oidc_link (
  tenant_id uuid not null,
  issuer text not null check (length(issuer) between 1 and 500),
  subject text not null check (length(subject) between 1 and 255),
  user_id uuid not null,
  created_ms unix_ms not null,
  primary key (tenant_id, issuer, subject),
  foreign key (tenant_id, user_id) references app_user on delete cascade
);
create index oidc_link_user on oidc_link (tenant_id, user_id);

alter table api_key enable row level security, force row level security;
alter table token_family enable row level security, force row level security;
alter table access_token enable row level security, force row level security;
alter table oidc_link enable row level security, force row level security;

create policy owner_all on api_key to heliograph_owner using (true) with check (true);
create policy owner_all on token_family to heliograph_owner using (true) with check (true);
create policy owner_all on access_token to heliograph_owner using (true) with check (true);
create policy owner_all on oidc_link to heliograph_owner using (true) with check (true);

create policy tenant_only on api_key to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on token_family to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on access_token to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on oidc_link to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

grant select, insert, update, delete on api_key, token_family to heliograph_app;
grant select, insert, delete on access_token, oidc_link to heliograph_app;
