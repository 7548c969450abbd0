/**
 * What a panel shows of one device or link, selected from the states of its actors. Every number carries its time,
 * source and quality; what nobody measured is absent.
 */
import type { DeviceView, FocusView, LinkView } from "#protocol/view.ts"
import type { Counts } from "#protocol/view.ts"
import type { Cells } from "#twin/cells.ts"
import type { World } from "#twin/round.ts"

/** Null when the inventory has no such id. */
export declare const deviceView: (world: World, cells: Cells, id: string) => DeviceView | null
export declare const linkView: (world: World, cells: Cells, id: string) => LinkView | null
export declare const focusView: (
  world: World,
  cells: Cells,
  focus: { readonly kind: "device" | "link"; readonly id: string },
) => FocusView | null
export declare const countsOf: (cells: Cells) => Counts
