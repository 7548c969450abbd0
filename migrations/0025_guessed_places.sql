-- Devices that are part of the topology only, and sites whose place nobody said (GraphML imports). An empty address is
-- none: such a device has no credentials, and nothing asks it.
alter table site add column guessed boolean not null default false;
alter table device drop constraint device_address_check;
alter table device add constraint device_address_check check (address = '' or length(address) between 2 and 64);
