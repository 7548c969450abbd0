/**
 * A device with several SNMP credentials (PRODUCT.md C23): which of them polls it. They are asked in their order at first
 * contact, and again when the one in use is refused; an agent refuses a community by silence, so that a device which v2c
 * reads is asked also when it falls silent. A pass is one GET for each, at most once a minute (C2: no storm of retries).
 */
import { performance } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import { PollFailed } from "#engine/collectors/collector.ts"
import type { Poller } from "#engine/collectors/collector.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { SYS } from "#engine/collectors/snmp/mib.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"

/** Between two passes over the credentials of one device. */
export const PASS_EVERY_MS = 60_000
/** Of a poll's time; the rest is for the poll itself. */
const PASS_SHARE = 0.6

export interface OpenedClient {
  readonly client: SnmpClient
  readonly poller: Poller
}

export interface OrderOptions {
  readonly device: string
  /** At least two. */
  readonly credentials: readonly SnmpCredential[]
  readonly open: (credential: SnmpCredential) => OpenedClient
  /** Milliseconds that only go forwards; performance.now() when left out. */
  readonly nowMs?: () => number
}

export interface OrderedPoller extends Poller {
  readonly close: () => void
}

export const makeOrderedPoller = ({
  device,
  credentials,
  open,
  nowMs = () => performance.now(),
}: OrderOptions): OrderedPoller => {
  let used = 0
  let opened = open(credentials[0] as SnmpCredential)
  /** It has answered a poll since it was chosen. */
  let works = false
  let passIsDue = true
  let passAtMs = Number.NEGATIVE_INFINITY

  const use = (nth: number, next: OpenedClient): void => {
    if (next !== opened) opened.client.close()
    opened = next
    if (nth !== used) works = false
    used = nth
  }

  /** Rejects with PollFailed when none opens the device. */
  const pass = async (deadlineMs: number): Promise<void> => {
    passAtMs = nowMs()
    const failures: SnmpFailed[] = []
    for (const [nth, credential] of credentials.entries()) {
      const one = nth === used ? opened : open(credential)
      const failure = await refusal(one.client, performance.now() + (deadlineMs * PASS_SHARE) / credentials.length)
      if (failure === null) {
        passIsDue = false
        return use(nth, one)
      }
      failures.push(failure)
      if (one !== opened) one.client.close()
    }
    const each = failures.map(({ detail }, nth) => `${nth + 1} (${versionOf(credentials[nth])}): ${detail}`)
    throw new PollFailed({
      reason: failures.some(({ reason }) => reason === "auth") ? "auth" : "timeout",
      detail: `none of ${credentials.length} credentials opens it: ${each.join("; ")}`,
    })
  }

  const choose = Effect.fnUntraced(function* (deadlineMs: number) {
    if (!passIsDue || nowMs() - passAtMs < PASS_EVERY_MS) return
    const before = used
    yield* Effect.tryPromise({ try: () => pass(deadlineMs), catch: (error) => error }).pipe(
      Effect.catch((error) => (error instanceof PollFailed ? Effect.fail(error) : Effect.die(error))),
    )
    if (used !== before || !works)
      yield* Effect.logInfo(
        `${device}: SNMP answers to credential ${used + 1} of ${credentials.length} (${versionOf(credentials[used])})`,
      )
  })

  return {
    poll: (deadlineMs) =>
      Effect.gen(function* () {
        const startedMs = performance.now()
        yield* choose(deadlineMs)
        const leftMs = Math.max(1, deadlineMs - (performance.now() - startedMs))
        const input = yield* opened.poller.poll(leftMs).pipe(
          Effect.tapError(({ reason }) =>
            Effect.sync(() => {
              const isSilent = reason === "timeout" && (!works || credentials[used]?.version === "2c")
              if (reason === "auth" || isSilent) passIsDue = true
            }),
          ),
        )
        works = true
        passIsDue = false
        return input
      }),
    close: () => opened.client.close(),
  }
}

/** Null = it answers. */
const refusal = async (client: SnmpClient, untilMs: number): Promise<SnmpFailed | null> => {
  try {
    await client.get([SYS.sysUpTime], untilMs)
    return null
  } catch (error) {
    if (!(error instanceof SnmpFailed)) throw error
    return error
  }
}

const versionOf = (credential: SnmpCredential | undefined): string => (credential?.version === "3" ? "v3" : "v2c")
