/** Accounts, history and events in memory, for tests of the API and the stream. Passwords are compared, not hashed. */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Unavailable } from "#engine/api/ports.ts"
import type {
  Accounts,
  EventQuery,
  EventReader,
  HistoryQuery,
  HistoryReader,
  Session,
  User,
} from "#engine/api/ports.ts"
import type { TenantId } from "#protocol/id.ts"
import type { EventView } from "#protocol/view.ts"

export interface MemoryAccounts extends Accounts {
  readonly sessions: Map<string, Session>
  /** Passwords that were really looked at. */
  readonly checks: () => number
  readonly setAway: (away: boolean) => void
}

export const PASSWORD = "correct horse"

export const memoryAccounts = (users: readonly User[]): MemoryAccounts => {
  const sessions = new Map<string, Session>()
  let checks = 0
  let away = false
  const guard = <A>(read: () => A): Effect.Effect<A, Unavailable> =>
    Effect.suspend(() => (away ? Effect.fail(new Unavailable({ detail: "the database is away" })) : Effect.sync(read)))
  return {
    sessions,
    checks: () => checks,
    setAway: (value) => (away = value),
    verifyPassword: (name, password) =>
      guard(() => {
        checks += 1
        return Redacted.value(password) === PASSWORD ? (users.find((user) => user.name === name) ?? null) : null
      }),
    createSession: (user, expiresAtMs) =>
      guard(() => {
        const token = randomBytes(24).toString("base64url")
        const session = { id: `session-${sessions.size + 1}`, user, expiresAtMs }
        sessions.set(token, session)
        return { token, session }
      }),
    findSession: (token) => guard(() => sessions.get(token) ?? null),
    deleteSession: (token) => guard(() => void sessions.delete(token)),
  }
}

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
