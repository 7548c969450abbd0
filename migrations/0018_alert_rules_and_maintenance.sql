-- What a tenant wrote of its own judgement. Shipped rules stand in the code (twin/alert/packs): a row of the same id
-- overrides one, so that an upgrade brings the new text of all others.
create table alert_rule (
  tenant_id uuid not null references tenant,
  rule_id text not null check (length(rule_id) between 1 and 64),
  -- docs/rules.md, as it passed twin/alert/check.ts.
  rule jsonb not null check (jsonb_typeof(rule) = 'object'),
  updated_ms unix_ms not null,
  updated_by text not null,
  primary key (tenant_id, rule_id)
);

-- Maintenance windows, changes and mutes (protocol/maintenance.ts). What each occurrence is in UTC is worked out anew.
create table maintenance_window (
  tenant_id uuid not null references tenant,
  window_id uuid not null,
  -- The window without its id.
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  -- A change silences from here on; 0 = it was never begun.
  begun_ms unix_ms not null default 0,
  -- Somebody ended what was going on then: occurrences that began before it are over. 0 = nobody did.
  ended_ms unix_ms not null default 0,
  updated_ms unix_ms not null,
  updated_by text not null,
  primary key (tenant_id, window_id)
);

alter table alert_rule enable row level security, force row level security;
alter table maintenance_window enable row level security, force row level security;
create policy owner_all on alert_rule to heliograph_owner using (true) with check (true);
create policy owner_all on maintenance_window to heliograph_owner using (true) with check (true);
create policy tenant_only on alert_rule to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on maintenance_window to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on alert_rule to heliograph_app;
grant select, insert, update, delete on maintenance_window to heliograph_app;
