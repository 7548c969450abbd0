-- How a device is probed. The pings of its address: seconds between two, 0 = never, null = by its role. The probes of
-- its services: what engine/probes/plan.ts calls ServiceProbe, as the import gave them.
alter table device
  add column ping_seconds integer check (ping_seconds between 0 and 60),
  add column probes jsonb not null default '[]' check (jsonb_typeof(probes) = 'array');
