/** One row of the audit's tables of routes: what a route is called with, and the one act that it writes. */
import type { RouteName } from "#engine/access/entries.ts"

export interface Call {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  /** Header of who calls; the administrator's session when absent, nobody when null. */
  readonly as?: string | null
}

export interface Counted extends Call {
  readonly action: RegExp
  /** Slugs of the tenants in whose audits exactly one row stands; the caller's own when absent. */
  readonly audits?: readonly string[]
}
export type Prepare = () => Promise<Counted>

/** Rejects when it is refused. */
export type Ask = (
  name: RouteName,
  call: Call,
) => Promise<{ readonly status: number; readonly body: never; readonly cookie: string }>
