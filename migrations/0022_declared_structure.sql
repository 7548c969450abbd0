-- What a tenant declares beside sites, devices and links (protocol/structure.ts): shared-risk groups, dependency groups,
-- providers, services. Part of the inventory's revision; members are ids in the body, and one that is gone is no member.
create table declared_structure (
  tenant_id uuid not null references tenant,
  kind text not null check (kind in ('srlg', 'group', 'provider', 'service')),
  structure_id text not null check (length(structure_id) between 1 and 100),
  -- Without its id.
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  primary key (tenant_id, kind, structure_id)
);

alter table declared_structure enable row level security, force row level security;
create policy owner_all on declared_structure to heliograph_owner using (true) with check (true);
create policy tenant_only on declared_structure to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on declared_structure to heliograph_app;
