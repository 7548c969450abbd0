-- What an operator declares (sites, devices, links), and the sealed credentials of the devices (engine/storage/vault.ts).
-- The engine role sees none of it but which master keys are in use; the app role sees its tenant.
create table site (
  tenant_id uuid not null references tenant,
  site_id text not null check (length(site_id) between 1 and 200),
  name text not null check (length(name) <= 200),
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180),
  primary key (tenant_id, site_id)
);

create table device (
  tenant_id uuid not null references tenant,
  device_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  -- IPv4 or IPv6 text, never a host name.
  address text not null check (length(address) between 2 and 64),
  site_id text not null,
  roles text[] not null,
  poll_seconds integer not null check (poll_seconds between 1 and 86400),
  primary key (tenant_id, device_id),
  unique (tenant_id, name),
  foreign key (tenant_id, site_id) references site
);
create index device_site on device (tenant_id, site_id);

create table link (
  tenant_id uuid not null references tenant,
  link_id uuid not null,
  a_device uuid not null,
  a_interface text not null check (length(a_interface) between 1 and 200),
  b_device uuid not null,
  b_interface text not null check (length(b_interface) between 1 and 200),
  -- bit/s; null = the slower end's speed counts.
  capacity_bps double precision check (capacity_bps > 0),
  primary key (tenant_id, link_id),
  foreign key (tenant_id, a_device) references device,
  foreign key (tenant_id, b_device) references device
);
-- A link is an unordered pair of interfaces: the same cable is not declared twice with its ends swapped.
create unique index link_ends on link (
  tenant_id,
  least(a_device::text || ' ' || a_interface, b_device::text || ' ' || b_interface),
  greatest(a_device::text || ' ' || a_interface, b_device::text || ' ' || b_interface)
);
create index link_a on link (tenant_id, a_device);
create index link_b on link (tenant_id, b_device);

-- One row per change of the inventory or of a credential; the newest `rev` is the inventory's.
create table inventory_revision (
  tenant_id uuid not null references tenant,
  rev bigint not null check (rev > 0),
  at_ms unix_ms not null,
  report jsonb not null,
  primary key (tenant_id, rev)
);

-- One data key per tenant, wrapped by the master key named here (which is never in the database).
create table tenant_key (
  tenant_id uuid not null references tenant,
  version integer not null check (version > 0),
  master_key_id text not null,
  wrapped bytea not null,
  created_ms unix_ms not null,
  primary key (tenant_id, version)
);

create table credential (
  tenant_id uuid not null,
  device_id uuid not null,
  kind text not null check (kind in ('snmp', 'routeros')),
  key_version integer not null,
  sealed bytea not null,
  primary key (tenant_id, device_id, kind),
  foreign key (tenant_id, device_id) references device on delete cascade,
  foreign key (tenant_id, key_version) references tenant_key
);

alter table site enable row level security, force row level security;
alter table device enable row level security, force row level security;
alter table link enable row level security, force row level security;
alter table inventory_revision enable row level security, force row level security;
alter table tenant_key enable row level security, force row level security;
alter table credential enable row level security, force row level security;

create policy owner_all on site to heliograph_owner using (true) with check (true);
create policy owner_all on device to heliograph_owner using (true) with check (true);
create policy owner_all on link to heliograph_owner using (true) with check (true);
create policy owner_all on inventory_revision to heliograph_owner using (true) with check (true);
create policy owner_all on tenant_key to heliograph_owner using (true) with check (true);
create policy owner_all on credential to heliograph_owner using (true) with check (true);

create policy tenant_only on site to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on device to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on link to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on inventory_revision to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on tenant_key to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on credential to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- "Is anything sealed, and with which master key?" must be answered before a new master key may be made.
create policy engine_keys on tenant_key for select to heliograph_engine using (true);
grant select (tenant_id, master_key_id) on tenant_key to heliograph_engine;

grant select, insert, update, delete on site, device, link, credential to heliograph_app;
grant select, insert on inventory_revision to heliograph_app;
grant select, insert, update on tenant_key to heliograph_app;
