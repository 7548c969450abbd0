/**
 * Two devices at one site are a little likelier to be joined than two of any: enough to decide which of two far ends is
 * believed, when both are suggested alike. By itself it suggests nothing: fifty devices in one room would make 1,225
 * proposals of which nobody needs any. Nor does it lift a proposal over the line from which one is sure (propose.ts).
 */
import type { SupportKind } from "#twin/propose/evidence/evidence.ts"

const WEIGHT = 0.15

export const SITE: SupportKind = {
  kind: "site",
  support: (a, b) =>
    a.site === "" || a.site !== b.site
      ? null
      : { weight: WEIGHT, text: `${a.name} and ${b.name} stand at the same site` },
}
