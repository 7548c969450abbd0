/**
 * PostgreSQL servers and the databases on them that are in use. Roles belong to a server, not to a database: two of our
 * databases on one server must give them the same passwords, or each start would lock the other's engine out. And no two
 * tenants may share a database of their own, whatever names its URL goes by.
 */
import { Client } from "pg"
import { DatabaseUnavailable } from "#engine/storage/launcher.ts"
import { ensureRoles } from "#engine/storage/roles.ts"

export interface Servers {
  /**
   * Roles and schema in a tenant's own database; answers with the secret that the roles' passwords on this server are
   * derived from: of the database that was opened on it first. Rejects when the database has another owner already.
   */
  readonly makeRoles: (slug: string, admin: Client, own: string) => Promise<string>
  /** Makes the home database known. */
  readonly rememberHome: (ownerUrl: string, secret: string) => Promise<void>
}

export const makeServers = (): Servers => {
  /** By server. */
  const secrets = new Map<string, string>()
  /** By server and database: slug, or null for the home database. */
  const owners = new Map<string, string | null>()
  /** Two must not alter one server's roles at once, and the lock that PostgreSQL has is per database. */
  let turn: Promise<unknown> = Promise.resolve()
  const claim = async (slug: string | null, client: Client, own: string): Promise<string> => {
    const { rows } = await client.query(
      "select (select system_identifier::text from pg_control_system()) as server, current_database() as name",
    )
    const { server, name } = rows[0] as { server: string; name: string }
    const place = `${server} ${name}`
    const owner = owners.get(place)
    if (owner !== undefined && owner !== slug)
      throw new DatabaseUnavailable({
        message: `it is ${owner === null ? "the home database" : `the database of tenant ${owner}`} itself`,
      })
    owners.set(place, slug)
    const secret = secrets.get(server) ?? own
    secrets.set(server, secret)
    return secret
  }
  return {
    makeRoles: (slug, admin, own) => {
      const mine = turn.then(async () => {
        const secret = await claim(slug, admin, own)
        await ensureRoles(admin, secret)
        return secret
      })
      turn = mine.catch(() => {})
      return mine
    },
    rememberHome: async (ownerUrl, secret) => {
      const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
      client.on("error", () => {})
      await client.connect()
      try {
        await claim(null, client, secret)
      } finally {
        await client.end().catch(() => {})
      }
    },
  }
}
