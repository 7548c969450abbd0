-- The audit's before and after as the very text that was hashed (engine/audit/entry.ts): jsonb rewrites numbers and spaces,
-- and could not tell an edited 1 from an edited 1.0. No release wrote rows before this one.
alter table audit_entry
  alter column before type json using before::text::json,
  alter column after type json using after::text::json,
  -- engine/audit/canonical.ts cuts at 64 KiB.
  add constraint audit_entry_before_size check (octet_length(before::text) <= 65536),
  add constraint audit_entry_after_size check (octet_length(after::text) <= 65536);
-- What the list filters by.
create index audit_entry_action on audit_entry (tenant_id, action, seq);

-- One key per tenant and month for pseudonyms of subscribers (engine/privacy/pseudonym.ts), sealed by the vault. When the
-- row goes, nobody can link that month's pseudonyms to people any more.
create table subscriber_key (
  tenant_id uuid not null references tenant,
  -- 2026-11
  month text not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  key_version int not null,
  sealed bytea not null,
  created_ms unix_ms not null,
  primary key (tenant_id, month)
);

-- Who stands behind a pseudonym; only of tenants that opted in (engine/privacy/identities.ts).
create table subscriber_identity (
  tenant_id uuid not null references tenant,
  pseudonym text not null check (length(pseudonym) between 1 and 64),
  key_version int not null,
  sealed bytea not null,
  seen_ms unix_ms not null,
  primary key (tenant_id, pseudonym)
);
create index subscriber_identity_seen on subscriber_identity (tenant_id, seen_ms);

alter table subscriber_key enable row level security, force row level security;
alter table subscriber_identity enable row level security, force row level security;
create policy owner_all on subscriber_key to heliograph_owner using (true) with check (true);
create policy owner_all on subscriber_identity to heliograph_owner using (true) with check (true);
create policy tenant_only on subscriber_key to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on subscriber_identity to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on subscriber_key to heliograph_app;
grant select, insert, update, delete on subscriber_identity to heliograph_app;
