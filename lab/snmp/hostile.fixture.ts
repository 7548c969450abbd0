/**
 * The lab's share of the hostile benchmark, a child process of it: `node hostile.fixture.ts INPUTS SEED` throws mutated
 * requests at two SNMP agents (v2c; v3 with authentication and privacy) and prints one line of JSON. Half of what the v3
 * agent gets is mutated before it is encrypted and signed. Every answer has to be whole BER.
 */
import process from "node:process"
import { PDU, decodeMessage } from "#engine/collectors/snmp/ber.ts"
import { encodeRequest, encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import type { Victim } from "#engine/collectors/snmp/hostile-meter.fixture.ts"
import { throwAll } from "#engine/collectors/snmp/hostile-meter.fixture.ts"
import type { Dice } from "#engine/collectors/snmp/mutation.fixture.ts"
import { mutate } from "#engine/collectors/snmp/mutation.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { makeSealer } from "#engine/collectors/snmp/sealer.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { SnmpAgent } from "#lab/snmp/agent.ts"
import { COMMUNITY, benchOf, parseAnswer, v3User } from "#lab/snmp/probe.fixture.ts"

/** Not among the engine's PDU names: it never sets anything. */
const SET = 0xa3
const REQUESTS = [
  { type: PDU.get, names: ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.2.2.1.8.2"], first: 0, second: 0 },
  { type: PDU.getNext, names: ["1.3.6.1.2.1.2.2.1.8"], first: 0, second: 0 },
  { type: PDU.getBulk, names: ["1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.6"], first: 0, second: 10 },
  { type: SET, names: ["1.3.6.1.2.1.1.5.0"], first: 0, second: 0 },
].map(({ names, ...rest }) => ({ ...rest, oids: names.map(oid) }))
const NONE = Buffer.alloc(0)

const agents = async (): Promise<Victim> => {
  const snmp = v3User("sha256", "aes")
  const isCore = (router: { persona: string }): boolean => router.persona === "frr"
  const v2c = benchOf(isCore).agent
  const { agent: v3, network, router } = benchOf(isCore, snmp)
  const sealer = await makeSealer({ ...snmp, port: 161 }, v3.engineId)
  const boots = network.boots[router.index]!
  const time = Math.floor(Math.max(0, network.nowMs - network.bootedMs[router.index]!) / 1000) % 2 ** 31
  let victim: SnmpAgent = v2c
  let answered = 0

  const sealed = (dice: Dice): Buffer => {
    const { type, oids, first, second } = REQUESTS[dice(REQUESTS.length)]!
    const varbinds = oids.map((name) => ({ oid: name, tag: TAG.null, value: null }))
    const scoped = encodeScopedPdu(v3.engineId, type, 42, first, second, varbinds)
    const isInsider = dice(2) === 0
    const message = sealer.seal(7, 7, boots, time, isInsider ? mutate(scoped, dice) : scoped)
    return isInsider ? message : mutate(message, dice)
  }
  const discovery = (dice: Dice): Buffer => {
    const scoped = encodeScopedPdu(NONE, PDU.get, 42, 0, 0, [])
    const plain = { boots: 0, time: 0, user: "", authParams: NONE, privParams: NONE }
    return mutate(encodeV3({ msgId: 7, flags: 4, engineId: NONE, ...plain, scoped }).bytes, dice)
  }
  return {
    next: (dice) => {
      victim = dice(2) === 0 ? v2c : v3
      if (victim === v3) return dice(8) === 0 ? discovery(dice) : sealed(dice)
      const { type, oids, first, second } = REQUESTS[dice(REQUESTS.length)]!
      return mutate(encodeRequest(Buffer.from(COMMUNITY), type, 42, first, second, oids), dice)
    },
    take: (input) => {
      const answer = victim.answer(input)
      if (answer === null) return
      // v2c by the lab's own reader: the answer to a SET gives back its bindings as they came, strange types included.
      if (victim === v2c) parseAnswer(Buffer.from(answer))
      else if (typeof decodeMessage(answer) === "string") throw new Error(`malformed: ${answer.toString("hex")}`)
      answered++
    },
    taken: () => answered,
    contained: () => 0,
    close: () => undefined,
  }
}

const [inputs = "10000", seed = "1"] = process.argv.slice(2)
console.log(JSON.stringify(await throwAll(await agents(), Number(inputs), Number(seed))))
process.exit(0)
