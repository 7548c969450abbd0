-- The certificate that a router showed when its API was first reached over TLS, where the operator pinned none
-- (PRODUCT.md C1): another one later is refused, also after a restart. A new credential is trusted anew.
alter table credential
  add column pin text check (pin ~ '^([0-9A-F]{2}:){31}[0-9A-F]{2}$');
