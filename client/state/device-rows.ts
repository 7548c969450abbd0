/** The device table's rows: filtered by any words of name, site and role; worst first, then by name. Pure. */
import { markOfByte } from "#client/map/mark.ts"
import { plain } from "#client/state/search.ts"
import { siteOf } from "#client/state/trouble.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { ROLES } from "#protocol/role.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"

export interface DeviceRow {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly site: string
  readonly status: Status
  /** Index into MARKS. */
  readonly mark: number
  /** Unix seconds, 0 = never. */
  readonly seenS: number
}

export const deviceRows = (
  state: TwinState,
  filter: string,
  roleName: (role: string) => string,
): readonly DeviceRow[] => {
  const words = plain(filter).split(/\s+/).filter(Boolean)
  const rows: DeviceRow[] = []
  state.nodes.id.forEach((id, slot) => {
    const name = state.nodes.name[slot] as string
    const role = roleName(ROLES[state.nodes.role[slot] as number] ?? "other")
    const site = siteOf(state, slot)
    if (words.length > 0) {
      const text = plain(`${name} ${site} ${role}`)
      if (!words.every((word) => text.includes(word))) return
    }
    const byte = state.nodes.status[slot] as number
    const seenS = state.nodes.seenS[slot] as number
    rows.push({ id, name, role, site, status: unpackStatus(byte), mark: markOfByte(byte), seenS })
  })
  return rows.sort((a, b) => a.mark - b.mark || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}
