/** Accounts, history and events in memory, for tests of the API and the stream. Passwords are compared, not hashed. */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Resolve } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { Unavailable } from "#engine/api/ports.ts"
import type { Accounts, EventQuery, EventReader, HistoryQuery, HistoryReader } from "#engine/api/ports.ts"
import { makeGate } from "#engine/people/gate.ts"
import type { TenantId } from "#protocol/id.ts"
import { permissionsOf } from "#protocol/permission.ts"
import type { EventView } from "#protocol/view.ts"

interface User {
  readonly id: string
  readonly name: string
  readonly tenant: TenantId
}
interface Session {
  readonly id: string
  readonly user: User
  readonly expiresAtMs: number
}

export interface MemoryAccounts extends Accounts {
  readonly sessions: Map<string, Session>
  /** A session without a password. */
  readonly createSession: (
    user: User,
    expiresAtMs: number,
  ) => Effect.Effect<{ readonly token: string; readonly session: Session }, Unavailable>
  /** Passwords that were really looked at. */
  readonly checks: () => number
  readonly setAway: (away: boolean) => void
  readonly resolve: Resolve
  /** By user id; who is missing is tenant_admin and platform_admin. */
  readonly roles: Map<string, readonly string[]>
}

export const PASSWORD = "correct horse"

export const memoryAccounts = (users: readonly User[]): MemoryAccounts => {
  const sessions = new Map<string, Session>()
  const roles = new Map<string, readonly string[]>()
  let checks = 0
  let away = false
  const guard = <A>(read: () => A): Effect.Effect<A, Unavailable> =>
    Effect.suspend(() => (away ? Effect.fail(new Unavailable({ detail: "the database is away" })) : Effect.sync(read)))
  const gate = makeGate({ monotonicMs: () => performance.now(), outcome: () => {}, slowed: () => {} })
  const open = (user: User, expiresAtMs: number): { readonly token: string; readonly session: Session } => {
    const token = randomBytes(24).toString("base64url")
    const session = { id: `session-${sessions.size + 1}`, user, expiresAtMs }
    sessions.set(token, session)
    return { token, session }
  }
  return {
    sessions,
    roles,
    checks: () => checks,
    setAway: (value) => (away = value),
    createSession: (user, expiresAtMs) => guard(() => open(user, expiresAtMs)),
    signIn: (attempt) =>
      gate.pass(
        attempt,
        guard(() => {
          checks += 1
          const user = users.find(({ name }) => name === attempt.name)
          if (user === undefined || Redacted.value(attempt.password) !== PASSWORD) return { is: "wrong" } as const
          const { token, session } = open(user, Date.now() + 12 * 3_600_000)
          return { is: "right", value: { token, ...session } } as const
        }),
      ),
    signOut: (principal) =>
      guard(() => {
        for (const [token, { id }] of sessions) if (id === principal.credential.id) sessions.delete(token)
      }),
    secondFactor: () => guard(() => ({ enabled: false, required: false })),
    resolve: (presented) =>
      guard(() => {
        const session = presented.kind === "cookie" ? sessions.get(presented.token) : undefined
        return session === undefined
          ? null
          : principalOf(session, roles.get(session.user.id) ?? ["tenant_admin", "platform_admin"])
      }),
  }
}

export const principalOf = (session: Session, roles: readonly string[]): Principal => ({
  userId: session.user.id,
  userName: session.user.name,
  tenant: session.user.tenant,
  roles,
  permissions: new Set(permissionsOf(roles)),
  sites: null,
  credential: { kind: "session", id: session.id, expiresAtMs: session.expiresAtMs },
  secondFactor: "ok",
  grant: null,
})

/** Remembers what it was asked. */
export const memoryHistory = (): HistoryReader & {
  readonly asked: Array<HistoryQuery & { readonly tenant: TenantId }>
} => {
  const asked: Array<HistoryQuery & { tenant: TenantId }> = []
  return {
    asked,
    read: (tenant, query) =>
      Effect.sync(() => {
        asked.push({ ...query, tenant })
        return { unit: "s", bucketMs: 0, atMs: [query.fromMs], min: [1], max: [3], avg: [2] }
      }),
  }
}

export const memoryEvents = (events: readonly EventView[]): EventReader => ({
  page: (_, query: EventQuery) =>
    Effect.sync(() => {
      const from = query.before === null ? 0 : events.findIndex((event) => event.id === query.before) + 1
      return events.slice(from, from + query.limit)
    }),
})
