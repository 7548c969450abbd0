/**
 * What is asked of a replay's branch, answered in the replay's thread: opened, told inputs and faults, looked at, asked what
 * would be if, left. Whoever is bound to sites reaches and sees these only, as everywhere.
 */
import { forkInputsOf } from "#engine/replay/fork-inputs.ts"
import type { Player } from "#engine/replay/player.ts"
import type { BranchAnswers, BranchAsk, BranchLook } from "#engine/replay/session-messages.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import { answer } from "#engine/whatif/answer.ts"
import { Impossible } from "#engine/whatif/question.ts"
import { Seen } from "#engine/whatif/seen.ts"
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { cutToPlaces, placesOf } from "#engine/incidents/seen.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { incidentView } from "#twin/incident/view.ts"

/** Rejects with words why not. */
export const branched = async (player: Player, ask: BranchAsk): Promise<BranchAnswers[BranchAsk["kind"]]> => {
  switch (ask.kind) {
    case "open":
      await player.branch.open(ask.alone)
      return null
    case "leave":
      await player.branch.leave()
      return null
    case "hear":
      await hear(player, ask)
      return null
    case "look":
      return look(player, ask.sites)
    case "whatIf": {
      const { faults, routesOf } = ask
      return player.branch.read(({ world, cells }) => {
        onlyBranched(player)
        return answer(new Seen(world, cells), { kind: "ask", faults, routesOf })
      })
    }
  }
}

const seenBy = ({ twin }: Player, sites: readonly string[] | null) => (sites === null ? twin : siteView(twin, sites))

const hear = async (player: Player, { sites, faults, inputs }: Extract<BranchAsk, { kind: "hear" }>): Promise<void> => {
  const inventory = seenBy(player, sites).inventory()
  if (sites !== null) for (const fault of faults ?? []) onlyTheirs(fault, inventory)
  const given = inputs.map((value, index) => ({ where: `inputs[${index}]`, value }))
  await player.branch.hear(faults, (atMs) => forkInputsOf(given, inventory, atMs))
}

/** What they do not see is, for them, nothing in this network. */
const onlyTheirs = (fault: FaultBody, { sites, devices, links }: Inventory): void => {
  const device = (id: string): boolean => devices.some((one) => one.id === id)
  const isTheirs = (): boolean => {
    switch (fault.kind) {
      case "link":
      case "drain":
        return links.some(({ id, a, b }) => id === fault.link && device(a.device) && device(b.device))
      case "router":
      case "interface":
        return device(fault.device)
      case "site":
        return sites.some(({ id }) => id === fault.site)
      case "srlg":
        return false
    }
  }
  if (!isTheirs()) throw new Impossible(`a fault is of nothing in this network: ${JSON.stringify(fault)}`)
}

const look = (player: Player, sites: readonly string[] | null): Promise<BranchLook> =>
  player.branch.read(({ world }) => {
    onlyBranched(player)
    const seen = seenBy(player, sites)
    const all = world.desk.incidents.map(incidentView)
    const places = placesOf(seen.inventory())
    const incidents = sites === null ? all : all.flatMap((view) => cutToPlaces(view, places) ?? [])
    const decided = new Set(player.branch.events().map(({ id }) => id))
    const events =
      sites === null
        ? player.branch.events()
        : seen
            .recentEvents()
            .filter(({ id }) => decided.has(id))
            .toReversed()
    return { atMs: player.standing().atMs, incidents, events }
  })

const onlyBranched = (player: Player): void => {
  if (player.standing().branch === null) throw new Impossible("what is shown is the past: branch it first")
}
