/** One row in every tenant table, for tests that must not prove something about empty tables. */
import type { Client } from "pg"
import type { TenantId } from "#protocol/id.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

/** As the owner. Fails when a tenant table is missing here and has a mandatory column: the T1 test names those. */
export const seedEveryTable = async (owner: Client, tenant: TenantId): Promise<void> => {
  const [user, first, second] = [uuidv7(), uuidv7(), uuidv7()]
  const rows: ReadonlyArray<readonly [table: string, columns: string, values: readonly unknown[]]> = [
    ["app_user", "user_id, name, roles, password, created_ms", [user, "ada", ["noc"], "$argon2id$x", 1]],
    ["session", "token_sha256, user_id, created_ms, expires_ms", [Buffer.alloc(32), user, 1, 2]],
    ["user_totp", "user_id, key_version, sealed, begun_ms", [user, 1, Buffer.alloc(40), 1]],
    ["user_recovery_code", "user_id, code_sha256", [user, Buffer.alloc(32)]],
    ["tenant_role", "name, permissions", ["watch", ["network.read"]]],
    [
      "invitation",
      "invitation_id, token_sha256, note, roles, created_ms, expires_ms, by_user, by_name",
      [first, Buffer.alloc(32), "for bob", ["noc"], 1, 2, user, "ada"],
    ],
    [
      "api_key",
      "key_id, owner_id, name, prefix, key_sha256, scope, created_ms",
      [first, user, "grafana", "hgk_aaaaaaaa", Buffer.alloc(32), ["network.read"], 1],
    ],
    [
      "token_family",
      "family_id, user_id, family_sha256, refresh_sha256, created_ms, expires_ms",
      [first, user, Buffer.alloc(32), Buffer.alloc(32), 1, 2],
    ],
    ["access_token", "token_sha256, family_id, expires_ms", [Buffer.alloc(32), first, 2]],
    ["oidc_link", "issuer, subject, user_id, created_ms", ["https://id.example", "ada", user, 1]],
    ["site", "site_id, name, latitude, longitude", ["pop-1", "POP 1", -23.5, -46.6]],
    [
      "device",
      "device_id, name, address, site_id, roles, poll_seconds",
      [first, "r1", "10.0.0.1", "pop-1", ["core"], 30],
    ],
    ["device", "device_id, name, address, site_id, roles, poll_seconds", [second, "r2", "10.0.0.2", "pop-1", [], 30]],
    ["link", "link_id, a_device, a_interface, b_device, b_interface", [uuidv7(), first, "ether1", second, "ether1"]],
    ["inventory_revision", "rev, at_ms, report", [1, 1, "{}"]],
    ["tenant_key", "version, master_key_id, wrapped, created_ms", [1, "00000000", Buffer.alloc(60), 1]],
    ["credential", "device_id, kind, key_version, sealed", [first, "snmp", 1, Buffer.alloc(40)]],
    ["tenant_lease", "epoch, holder, at_ms", [1, "test", 1]],
    ["journal", "seq, count, epoch, at_ms, data", [1, 1, 1, 1, Buffer.alloc(8)]],
    [
      "api_idempotency",
      "actor_id, key_sha256, state, sealed, started_ms, expires_ms",
      [user, Buffer.alloc(32), "done", Buffer.alloc(40), 1, 2],
    ],
    ["state_mark", "seq, at_ms, state_hash", [1, 1, "0".repeat(16)]],
    ["snapshot", "seq, epoch, at_ms, data", [1, 1, 1, Buffer.alloc(8)]],
    ["chunk", "device_id, source, t0, t1, seq0, seq1, polls, data", [first, "snmp", 1, 2, 1, 1, 1, Buffer.alloc(8)]],
    ["rollup", "device_id, res, t0, source, part, parts, data", [first, 3_600, 0, "snmp", 0, 1, Buffer.alloc(8)]],
    ["history_mark", "needed_seq", [1]],
    [
      "event",
      "seq, idx, at_ms, type, severity, subject, subject_kind, entity, source",
      [1, 0, 1, "device.rebooted", "warning", first, "device", "", "snmp"],
    ],
    ["alert_rule", "rule_id, rule, updated_ms, updated_by", ["own-rule", "{}", 1, "ada"]],
    ["declared_structure", "kind, structure_id, body", ["srlg", "duct-1", "{}"]],
    [
      "proposal_decision",
      "kind, proposal_id, decision, evidence_key, body, note, decided_by, decided_ms",
      ["link", "0".repeat(32), "rejected", "k", "{}", "", "ada", 1],
    ],
    [
      "incident",
      "incident_id, seq, state, severity, starts_ms, ends_ms, sites, faults, words, line, body",
      ["1-0", 1, "closed", "warn", 1, 2, ["pop-1"], ["link"], "", "{}", Buffer.alloc(8)],
    ],
    ["maintenance_window", "window_id, body, updated_ms, updated_by", [first, "{}", 1, "ada"]],
    ["tenant_quota", "name, most", ["max_devices", 10]],
    [
      "tenant_settings",
      "rev, sample_days, event_days, journal_days, subscriber_identities, subscriber_days, session_hours",
      [1, 14, 90, 1, false, 7, 12],
    ],
    ["subscriber_key", "month, key_version, sealed, created_ms", ["2026-11", 1, Buffer.alloc(40), 1]],
    ["subscriber_identity", "pseudonym, key_version, sealed, seen_ms", ["~2611-a", 1, Buffer.alloc(40), 1]],
    [
      "audit_entry",
      "seq, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, previous, hash",
      [1, 1, "user", user, "ada", "user.create", "user", user, "ada", Buffer.alloc(32), Buffer.alloc(32)],
    ],
  ]
  for (const [table, columns, values] of rows) {
    const places = values.map((_, index) => `$${index + 2}`).join(", ")
    await owner.query(`insert into ${table} (tenant_id, ${columns}) values ($1, ${places})`, [tenant, ...values])
  }
}
