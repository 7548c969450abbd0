/** Which moment an answer is of. */
import type { Seen } from "#engine/whatif/seen.ts"

export const momentOf = ({ atMs, seq }: Seen): { readonly atMs: number; readonly seq: number } => ({ atMs, seq })
