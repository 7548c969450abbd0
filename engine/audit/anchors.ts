/**
 * Once an hour, and at a clean stop, where each tenant's audit stands is signed and written outside the database
 * (engine/signing/anchor-file.ts). At the start the newest anchors are compared with the database, so that a cut or a
 * restored audit is told at once and not only when somebody asks. Copy the file elsewhere to be safe from whoever owns
 * the machine.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import { anchorBytes, appendAnchors, readAnchors, type Anchor } from "#engine/signing/anchor-file.ts"
import type { Signer } from "#engine/signing/signer.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

const ANCHOR_EVERY_MS = 3_600_000

export interface AnchorOptions {
  readonly db: DbShape
  readonly dataDir: string
  readonly signer: Signer
  /** Those that are there now. */
  readonly tenants: () => readonly TenantId[]
  readonly log: Log
  readonly everyMs?: number
}

/** Keeps anchoring until the scope closes, and once more then. */
export const keepAnchors = (options: AnchorOptions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { log } = options
    const anchor = writeAnchors(options).pipe(
      Effect.catchCause((cause) =>
        Effect.sync(() => log.warn("the audit could not be anchored; tried again later", { cause })),
      ),
    )
    for (const problem of yield* contradicted(options).pipe(Effect.orElseSucceed(() => [])))
      log.error(`audit: ${problem}; see heliograph audit verify`)
    yield* Effect.addFinalizer(() => anchor)
    const rest = Effect.sleep(options.everyMs ?? ANCHOR_EVERY_MS)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(rest, anchor)))
  })

/** Of every tenant whose audit moved on since its last anchor. How many were written. */
export const writeAnchors = ({ db, dataDir, signer, tenants }: AnchorOptions): Effect.Effect<number, DbError> =>
  Effect.gen(function* () {
    const known = newest(readAnchors(dataDir).anchors)
    const anchors: Anchor[] = []
    for (const tenant of tenants()) {
      const head = yield* headOf(db, tenant)
      if (head === null || known.get(tenant)?.hash === head.hash) continue
      const plain = { tenant, ...head, atMs: Date.now() }
      anchors.push({ ...plain, ...signer.sign(anchorBytes(plain)) })
    }
    appendAnchors(dataDir, anchors)
    return anchors.length
  })

/** Each tenant whose newest anchor is not in its audit, in words. */
const contradicted = ({ db, dataDir, tenants }: AnchorOptions): Effect.Effect<readonly string[], DbError> =>
  Effect.gen(function* () {
    const known = newest(readAnchors(dataDir).anchors)
    const problems: string[] = []
    for (const tenant of tenants()) {
      const anchor = known.get(tenant)
      if (anchor === undefined || (yield* hashAt(db, tenant, anchor.seq)) === anchor.hash) continue
      problems.push(
        `row ${anchor.seq} of tenant ${tenant} was anchored at ${new Date(anchor.atMs).toISOString()} and is not in the ` +
          "database any more: rows were removed, or the database was restored from an older backup",
      )
    }
    return problems
  })

export const headOf = (
  db: DbShape,
  tenant: TenantId,
): Effect.Effect<{ readonly seq: number; readonly hash: string } | null, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ seq: string; hash: string }>(
      "select seq, encode(hash, 'hex') as hash from audit_entry where tenant_id = $1 order by seq desc limit 1",
      [tenant],
    )
    return rows[0] === undefined ? null : { seq: Number(rows[0].seq), hash: rows[0].hash }
  })

const hashAt = (db: DbShape, tenant: TenantId, seq: number): Effect.Effect<string | null, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ hash: string }>(
      "select encode(hash, 'hex') as hash from audit_entry where tenant_id = $1 and seq = $2",
      [tenant, seq],
    )
    return rows[0]?.hash ?? null
  })

/** The last line of each tenant. */
const newest = (anchors: readonly Anchor[]): ReadonlyMap<string, Anchor> =>
  new Map(anchors.map((anchor) => [anchor.tenant, anchor]))
