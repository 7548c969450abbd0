-- Rotation of a tenant's data key (engine/storage/vault-rotation.ts) seals its rows anew and then takes the old key away;
-- forgetting credentials whose master key is lost takes their keys away too.
grant delete on tenant_key to heliograph_app;
-- Its month's key is sealed anew, never changed.
grant update (key_version, sealed) on subscriber_key to heliograph_app;
