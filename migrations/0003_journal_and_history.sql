-- What the twin lives from: the journal of inputs, its snapshots, the packed samples and the events.
-- All of it is written by the app role with the tenant set, so that one tenant's writer cannot touch another's rows.

-- Who may write a tenant's journal: a writer whose epoch is not this one is fenced off (engine/storage/journal.ts).
create table tenant_lease (
  tenant_id uuid primary key references tenant,
  epoch bigint not null check (epoch > 0),
  holder text not null,
  at_ms unix_ms not null
);

-- One row per group of inputs that was made durable together: inputs seq .. seq + count - 1.
create table journal (
  tenant_id uuid not null,
  seq bigint not null check (seq > 0),
  count integer not null check (count > 0),
  epoch bigint not null,
  -- Newest input of the row: what retention goes by.
  at_ms unix_ms not null,
  data bytea not null,
  primary key (tenant_id, seq)
);
-- Compressed by the engine already.
alter table journal alter column data set storage external;

create table snapshot (
  tenant_id uuid not null,
  seq bigint not null,
  epoch bigint not null,
  at_ms unix_ms not null,
  data bytea not null,
  primary key (tenant_id, seq)
);
alter table snapshot alter column data set storage external;

-- All samples of one device by one collector over one window (15 minutes), packed column-wise (engine/storage/chunk.ts).
create table chunk (
  tenant_id uuid not null,
  device_id uuid not null,
  source text not null,
  -- Times of the first and last poll.
  t0 unix_ms not null,
  t1 unix_ms not null,
  -- Journal positions of the first and last poll.
  seq0 bigint not null,
  seq1 bigint not null,
  polls integer not null,
  data bytea not null,
  primary key (tenant_id, device_id, t0, source, seq0)
);
alter table chunk alter column data set storage external;
-- Retention deletes by time over all devices, recovery asks by seq; rows come in about in the order of both.
create index chunk_order on chunk using brin (t0, seq1) with (pages_per_range = 32);

-- Every poll before this journal position is in a chunk: where history begins to read the journal after a restart.
create table history_mark (
  tenant_id uuid primary key references tenant,
  needed_seq bigint not null
);

-- EventView rows; (seq, idx) is the event's id.
create table event (
  tenant_id uuid not null,
  seq bigint not null,
  idx integer not null check (idx >= 0),
  at_ms unix_ms not null,
  type text not null,
  severity text not null,
  subject text not null,
  subject_kind text not null,
  entity text not null,
  old text,
  new text,
  -- Attacker-supplied line or trap, bounded by engine/storage/events.ts.
  raw text,
  source text not null,
  primary key (tenant_id, seq, idx)
);
create index event_subject on event (tenant_id, subject, seq, idx);

alter table tenant_lease enable row level security, force row level security;
alter table journal enable row level security, force row level security;
alter table snapshot enable row level security, force row level security;
alter table chunk enable row level security, force row level security;
alter table history_mark enable row level security, force row level security;
alter table event enable row level security, force row level security;

create policy owner_all on tenant_lease to heliograph_owner using (true) with check (true);
create policy owner_all on journal to heliograph_owner using (true) with check (true);
create policy owner_all on snapshot to heliograph_owner using (true) with check (true);
create policy owner_all on chunk to heliograph_owner using (true) with check (true);
create policy owner_all on history_mark to heliograph_owner using (true) with check (true);
create policy owner_all on event to heliograph_owner using (true) with check (true);

create policy tenant_only on tenant_lease to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on journal to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on snapshot to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on chunk to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on history_mark to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant_only on event to heliograph_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

grant select, insert, update on tenant_lease, history_mark to heliograph_app;
grant select, insert, delete on journal, snapshot, chunk, event to heliograph_app;
