/** Management packets of one router get lost: SNMP answers, traps and syslog lines, each with the same probability. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findRouter, readNumber } from "#lab/faults/names.ts"

export const lose: FaultKind = {
  kind: "lose",
  undo: "deliver",
  usage: "ROUTER [PERCENT]",
  about: "lose management packets of a router (default 50 %)",
  read: (network, [name, percent]) => {
    const router = findRouter(network.isp, name)
    const probability = readNumber(percent, "the percentage", 1, 100, 50) / 100
    return {
      key: String(router.index),
      text: `${router.name}, ${Math.round(probability * 100)} % of management packets`,
      strike: () => void (network.answerLoss[router.index] = probability),
      heal: () => void (network.answerLoss[router.index] = 0),
    }
  },
}
