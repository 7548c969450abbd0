/**
 * Every place where something sealed by a tenant's data key stands, and under which owner and field it was sealed: what
 * a rotation goes through. A new `sealed` column is a line here; vault-rotation.test.ts compares the list with the
 * catalogue and fails for a column that is missing.
 */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** SQL of the owner and the field as given to TenantKey.seal, over the row. */
  readonly owner: string
  readonly field: string
  /** Column that repeats the version, where there is one. */
  readonly version: string | null
  /** A person's words for one that cannot be opened any more, over the row. */
  readonly name: string
}

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: "credential",
    column: "sealed",
    owner: "device_id::text",
    field: "kind",
    version: "key_version",
    name: "kind || ' credential of ' || (select d.name from device d where d.tenant_id = t.tenant_id and d.device_id = t.device_id)",
  },
  {
    table: "user_totp",
    column: "sealed",
    owner: "'user:' || user_id::text",
    field: "'totp'",
    version: "key_version",
    name: "'second factor of ' || (select u.name from app_user u where u.tenant_id = t.tenant_id and u.user_id = t.user_id)",
  },
  {
    table: "subscriber_key",
    column: "sealed",
    owner: "'subscribers'",
    field: "month",
    version: "key_version",
    name: "'subscriber key of ' || month",
  },
  {
    table: "subscriber_identity",
    column: "sealed",
    owner: "'subscribers'",
    field: "pseudonym",
    version: "key_version",
    name: "'subscriber ' || pseudonym",
  },
  {
    table: "api_idempotency",
    column: "sealed",
    owner: "'api_idempotency'",
    field: "actor_id || ' ' || encode(key_sha256, 'hex')",
    version: null,
    name: "'answer kept for a repeated request'",
  },
]
