/**
 * The three roles that Heliograph works as. `heliograph_owner` owns the tables and runs migrations; `heliograph_app` sees
 * one tenant at a time through row security; `heliograph_engine` answers what must be known before a tenant is (logins,
 * the list of tenants). None is a superuser, none bypasses row security.
 * Their passwords are derived from one secret, so that every engine that knows the database knows them and no file lists
 * them; PostgreSQL only ever gets SCRAM verifiers (RFC 5802), which are safe in a statement log.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"
import type { Client } from "pg"

export const OWNER_ROLE = "heliograph_owner"
export const APP_ROLE = "heliograph_app"
export const ENGINE_ROLE = "heliograph_engine"
const ROLES = [OWNER_ROLE, APP_ROLE, ENGINE_ROLE] as const
export type Role = (typeof ROLES)[number]

export const SCHEMA = "heliograph"

/** What bounds one statement and one transaction of a role; migrations set their own. */
const LIMITS: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  heliograph_owner: {},
  heliograph_app: { statement_timeout: "30s", lock_timeout: "10s", idle_in_transaction_session_timeout: "60s" },
  heliograph_engine: { statement_timeout: "30s", lock_timeout: "10s", idle_in_transaction_session_timeout: "60s" },
}

export const rolePassword = (secret: string, role: Role): string =>
  createHmac("sha256", secret).update(`heliograph role ${role}`).digest("base64url")

/**
 * Creates or repairs the roles and the schema, connected to Heliograph's database as a role that may create roles.
 * Engines that start together take turns. Throws PostgreSQL's error when the role may not.
 */
export const ensureRoles = async (admin: Client, secret: string): Promise<void> => {
  await admin.query("begin")
  try {
    await admin.query("select pg_advisory_xact_lock(hashtext('heliograph roles'))")
    const { rows } = await admin.query("select rolname from pg_roles where rolname = any($1)", [ROLES])
    const existing = new Set(rows.map((row: { rolname: string }) => row.rolname))
    for (const role of ROLES) {
      // Attributes that only a superuser may name (SUPERUSER, BYPASSRLS) are off by default and audited at start.
      const verb = existing.has(role) ? "alter" : "create"
      await admin.query(`${verb} role ${role} login password '${scramVerifier(rolePassword(secret, role))}'`)
      await admin.query(`alter role ${role} set search_path = ${SCHEMA}, pg_catalog`)
      for (const [name, value] of Object.entries(LIMITS[role])) {
        await admin.query(`alter role ${role} set ${name} = '${value}'`)
      }
    }
    await admin.query(`grant ${OWNER_ROLE} to current_user`)
    await admin.query(`create schema if not exists ${SCHEMA} authorization ${OWNER_ROLE}`)
    await admin.query("commit")
  } catch (error) {
    await admin.query("rollback")
    throw error
  }
}

/** RFC 5803 / PostgreSQL form: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>. */
const scramVerifier = (password: string): string => {
  const salt = randomBytes(16)
  const iterations = 4096
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256")
  const hmac = (text: string): Buffer => createHmac("sha256", salted).update(text).digest()
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64")
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${hmac("Server Key").toString("base64")}`
}

/**
 * The same server and database under another role. The form `...@localhost/db?host=/socket/dir` is a valid WHATWG URL
 * and understood by pg; parameters like sslmode are kept.
 */
export const urlAs = (base: URL, role: Role, secret: string): string => {
  const url = new URL(base)
  url.username = role
  url.password = rolePassword(secret, role)
  return url.toString()
}
