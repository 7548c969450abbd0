-- What people decided about proposed links and roles (PRODUCT.md W4): who, when, and on which evidence. A rejected proposal
-- is proposed again only when its evidence is another one. The last decision on a proposal counts.
create table proposal_decision (
  tenant_id uuid not null references tenant,
  kind text not null check (kind in ('link', 'role')),
  proposal_id text not null check (length(proposal_id) between 1 and 64),
  decision text not null check (decision in ('accepted', 'rejected')),
  evidence_key text not null,
  -- The proposal as it was decided on: it is shown afterwards, when the devices say something else.
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  note text not null,
  decided_by text not null,
  decided_ms unix_ms not null,
  primary key (tenant_id, kind, proposal_id)
);

alter table proposal_decision enable row level security, force row level security;
create policy owner_all on proposal_decision to heliograph_owner using (true) with check (true);
create policy tenant_only on proposal_decision to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on proposal_decision to heliograph_app;
