-- Journal rows up to here hold no samples any more: their polls are in the chunks (engine/storage/journal-compactor.ts).
alter table history_mark add column compacted_seq bigint not null default 0;
