-- Incidents that are over (PRODUCT.md I12): the twin holds one for half an hour after its end, this table for as long as
-- the tenant keeps events. Written after the journal's commit; `seq` says which of two records of one incident is newer.
create table incident (
  tenant_id uuid not null references tenant,
  -- `<seq>-<index>` of the journal where it opened.
  incident_id text not null check (length(incident_id) between 3 and 40),
  -- Of the input that changed it last; 0 = as it was found in a snapshot.
  seq bigint not null check (seq >= 0),
  -- Not closed = it was, and opened again: the twin has it.
  state text not null check (state in ('open', 'recovering', 'closed')),
  severity text not null check (severity in ('info', 'warn', 'critical')),
  starts_ms unix_ms not null,
  ends_ms unix_ms not null,
  assignee text,
  ack_by text,
  -- Every site that it touches, and every kind of fault that was named.
  sites text[] not null,
  faults text[] not null,
  -- What a search looks into: lower case, bounded.
  words text not null,
  -- Null = nobody said what it was. What the twin had said by then stands beside it.
  confirmed_ms unix_ms,
  verdict_fault text,
  verdict_confidence double precision check (verdict_confidence between 0 and 1),
  verdict_right boolean,
  -- JSON of the list's line (IncidentRow), as text: it keeps every character.
  line text not null,
  -- Gzip of the JSON of the whole (IncidentView).
  body bytea not null,
  primary key (tenant_id, incident_id)
);
-- Compressed already.
alter table incident alter column body set storage external;
create index incident_order on incident (tenant_id, starts_ms desc, incident_id);
create index incident_end on incident (tenant_id, ends_ms);

alter table incident enable row level security, force row level security;
create policy owner_all on incident to heliograph_owner using (true) with check (true);
create policy tenant_only on incident to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on incident to heliograph_app;
