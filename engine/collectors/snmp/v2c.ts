/**
 * SNMP v2c client over the shared sockets, without net-snmp: four to five times less CPU per value (performance.md s1)
 * and nothing between the gate and the values. One request at a time: a device's SNMP service is slow, and a poll asks
 * in sequence anyway. Request ids come from the system's random source, because they are all that v2c has against forgers.
 */
import { randomInt } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { SnmpClient, SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { answersBulk, answersGet, snmpFailed } from "#engine/collectors/snmp/client.ts"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeRequest } from "#engine/collectors/snmp/encode.ts"
import type { GateCounts } from "#engine/collectors/snmp/gate.ts"
import { admitV2c, droppedTotal } from "#engine/collectors/snmp/gate.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { firstWaitMs, MAX_SENDS, smoothedMs, waitAfterMs } from "#engine/collectors/snmp/patience.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

export interface V2cOptions {
  readonly pool: UdpPool
  readonly address: string
  readonly port: number
  readonly community: string
  readonly counts: GateCounts
  /** Tolerate trailing padding and over-long integers of this device. */
  readonly lenient?: boolean
}

interface Pending {
  readonly id: number
  readonly bytes: Buffer
  readonly accepts: (answer: Varbinds) => boolean
  readonly resolve: (answer: Varbinds) => void
  readonly reject: (failure: SnmpFailed) => void
  readonly untilMs: number
  readonly startMs: number
  readonly droppedBefore: number
  readonly firstMs: number
  sends: number
  timer: NodeJS.Timeout | undefined
}

export const v2cClient = (options: V2cOptions): SnmpClient => {
  const { counts, lenient = false } = options
  const community = Buffer.from(options.community, "utf8")
  let pending: Pending | null = null
  let roundTripMs: number | null = null
  let isOpen = true

  const settle = (): Pending | null => {
    const settled = pending
    if (settled !== null) clearTimeout(settled.timer)
    pending = null
    return settled
  }

  const receive = (bytes: Buffer): boolean => {
    const message = admitV2c(bytes, community, lenient)
    if (typeof message === "string") {
      counts.dropped[message]++
      return false
    }
    const pdu = message.pdu
    if (pdu === null || pending === null || pdu.requestId !== pending.id) {
      counts.dropped.id++
      return false
    }
    if (pdu.errorStatus === 0 && !pending.accepts(pdu.varbinds)) {
      counts.dropped.answer++
      return true
    }
    counts.accepted++
    const { resolve, reject, startMs, sends } = pending
    // Karn: the round trip of a repeated request is ambiguous.
    if (sends === 1) roundTripMs = smoothedMs(roundTripMs, performance.now() - startMs)
    settle()
    if (pdu.errorStatus === 0) resolve(pdu.varbinds)
    else reject(snmpFailed("status", `SNMP error-status ${pdu.errorStatus}`, pdu.errorStatus))
    return true
  }

  const peer = options.pool.open(options.address, options.port, receive)

  const send = (request: Pending): void => {
    request.sends++
    counts.sent++
    peer.send(request.bytes, (code) => {
      if (pending === request) settle()?.reject(snmpFailed("refused", `cannot send: ${code}`))
    })
    const last = request.sends === MAX_SENDS
    const waitMs = waitAfterMs(request.sends, request.firstMs)
    request.timer = setTimeout(
      () => {
        if (last || performance.now() >= request.untilMs) settle()?.reject(timedOut(request, counts))
        else send(request)
      },
      Math.max(1, Math.min(waitMs, request.untilMs - performance.now())),
    )
  }

  const ask = (
    type: number,
    first: number,
    second: number,
    oids: readonly Oid[],
    untilMs: number,
    accepts: (answer: Varbinds) => boolean,
  ): Promise<Varbinds> => {
    if (!isOpen) return Promise.reject(snmpFailed("closed", "the session is closed"))
    if (pending !== null) return Promise.reject(snmpFailed("protocol", "a request is already in flight"))
    const startMs = performance.now()
    if (untilMs <= startMs) return Promise.reject(snmpFailed("timeout", "no time left before the deadline"))
    const id = randomInt(MIN_REQUEST_ID, MAX_REQUEST_ID)
    const bytes = encodeRequest(community, type, id, first, second, oids)
    return new Promise((resolve, reject) => {
      const firstMs = firstWaitMs(roundTripMs)
      const droppedBefore = droppedTotal(counts)
      const timer = undefined
      pending = { id, bytes, accepts, resolve, reject, untilMs, startMs, droppedBefore, firstMs, sends: 0, timer }
      send(pending)
    })
  }

  const cancel = (): void => settle()?.reject(snmpFailed("closed", "the request was cancelled"))

  return {
    get: (oids, untilMs) => ask(PDU.get, 0, 0, oids, untilMs, (answer) => answersGet(oids, answer)),
    bulk: (nonRepeaters, maxRepetitions, oids, untilMs) =>
      ask(PDU.getBulk, nonRepeaters, maxRepetitions, oids, untilMs, (answer) =>
        answersBulk(oids.length, nonRepeaters, maxRepetitions, answer),
      ),
    cancel,
    close: () => {
      isOpen = false
      cancel()
      peer.close()
    },
  }
}

const MIN_REQUEST_ID = 1
const MAX_REQUEST_ID = 2 ** 31 - 1

/** Names what the gate dropped meanwhile: else a device of bad habits would look like a dead one. */
const timedOut = (request: Pending, counts: GateCounts): SnmpFailed => {
  const waited = `no answer to ${request.sends} requests in ${Math.round(performance.now() - request.startMs)} ms`
  const dropped = droppedTotal(counts) - request.droppedBefore
  if (dropped === 0) return snmpFailed("timeout", `${waited} (a wrong community looks the same)`)
  return snmpFailed("protocol", `${waited} that could be accepted; ${dropped} were dropped by the gate`)
}
