/** A tired optic: the link goes dark and comes back, again and again. Half of each period is dark. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findLink, linkName, readNumber } from "#lab/faults/names.ts"

const PERIOD_S = 10

export const flap: FaultKind = {
  kind: "flap",
  undo: "steady",
  usage: "A B [SECONDS]",
  about: `let the link between A and B go down and up once per period (default ${PERIOD_S} s)`,
  read: (network, [a, b, period]) => {
    const link = findLink(network.isp, a, b)
    const halfMs = (readNumber(period, "the period", 1, 3600, PERIOD_S) * 1000) / 2
    let flapping = false
    const turn = (dark: boolean, atMs: number): void => {
      if (!flapping) return
      network.setDark(link.index, dark)
      network.schedule(atMs + halfMs, () => turn(!dark, atMs + halfMs))
    }
    return {
      key: String(link.index),
      text: `${linkName(network.isp, link)}, every ${halfMs / 500} s`,
      strike: () => {
        flapping = true
        turn(true, network.nowMs)
      },
      heal: () => {
        flapping = false
        network.setDark(link.index, false)
      },
    }
  },
}
