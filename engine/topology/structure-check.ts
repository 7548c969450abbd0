/**
 * What one item of declared structure must be, whoever wrote it (by REST or in a document): a plain id, a name of one line,
 * members that are there, and a group that somebody can depend on.
 */
import type { Reach } from "#engine/inventory-api/declared.ts"
import type { Stored } from "#engine/storage/inventory-rows.ts"
import { structureKey, type StructureKind, type StructureKinds } from "#engine/storage/structure-rows.ts"

/** Its message is for whoever wrote the item. */
export class StructureWrong extends Error {}

const ID = /^[\p{L}\p{N}][\p{L}\p{N} ._:-]*$/u

/** Members are there, each once, in a fixed order; a name in one line. Throws StructureWrong. */
export const checked = <K extends StructureKind>(
  members: Members,
  kind: K,
  wanted: StructureKinds[K],
): StructureKinds[K] => {
  if (!ID.test(wanted.id))
    throw new StructureWrong("the id begins with a letter or digit and has letters, digits, spaces, . _ : - only")
  const name = wanted.name.trim()
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  if (name === "" || /[\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed())
    throw new StructureWrong("the name must be a text of one line")
  const fields = Object.entries({ ...wanted, name }).map(([field, value]) => {
    const isMember = members[field]
    if (isMember === undefined) return [field, value] as const
    const ids = [...new Set(value as readonly string[])].sort()
    const strangers = ids.filter((id) => !isMember(id))
    if (strangers.length > 0)
      throw new StructureWrong(
        `${field}: ${strangers
          .slice(0, 3)
          .map((id) => JSON.stringify(id))
          .join(", ")} ${strangers.length === 1 ? "is" : "are"} not there`,
      )
    return [field, ids] as const
  })
  const item = Object.fromEntries(fields) as unknown as StructureKinds[K]
  if (kind === "group") refuseGroup(item as StructureKinds["group"])
  return item
}

const refuseGroup = ({ mode, k, devices, links, dependants }: StructureKinds["group"]): void => {
  const members = devices.length + links.length
  if (members === 0) throw new StructureWrong("a dependency group has at least one member")
  if (dependants.length === 0) throw new StructureWrong("a dependency group has at least one dependant")
  if (mode === "kofn" && k > members) throw new StructureWrong(`k is ${k}, and there are ${members} members`)
  const both = dependants.find((device) => devices.includes(device))
  if (both !== undefined) throw new StructureWrong("a device cannot depend on a group that it is a member of")
}

/** By field: whether an id is a member that the caller sees. */
export type Members = Readonly<Record<string, (id: string) => boolean>>

/** As they are now, but for providers, which are looked up when asked. */
export const membersOf = (stored: Stored, { sites }: Reach): Members => {
  const devices = new Map(
    [...stored.devices.values()].map(({ device }) => [device.id as string, device.site as string]),
  )
  const links = new Map([...stored.links.values()].map((link) => [link.id as string, link]))
  const isSeen = (site: string | undefined): boolean => site !== undefined && (sites === null || sites.includes(site))
  const device = (id: string): boolean => isSeen(devices.get(id))
  return {
    devices: device,
    dependants: device,
    links: (id) => {
      const link = links.get(id)
      return link !== undefined && (sites === null || device(link.a.device) || device(link.b.device))
    },
    sites: (id) => stored.sites.has(id) && isSeen(id),
    providers: (id) => stored.structure.has(structureKey("provider", id)),
  }
}
