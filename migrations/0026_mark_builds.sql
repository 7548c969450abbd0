-- Which build of the twin left a mark: only marks of the same build must be equal in a replay (engine/replay/verify.ts).
-- Empty = a build that did not say so; its hashes were made in another way.
alter table state_mark add column build text not null default '' check (build ~ '^[a-z0-9.-]{0,40}$');
