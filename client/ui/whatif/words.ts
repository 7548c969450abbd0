/** Names and numbers of the what-if screens, in the reader's language. Names come from devices: text, never markup. */
import { language, t, tCount } from "#client/i18n/translate.ts"
import type { Key } from "#client/i18n/translate.ts"
import { twin } from "#client/state/app.ts"
import { linkTitle } from "#client/state/trouble.ts"
import { percentOf } from "#client/state/whatif-picture.ts"
import { formatCompact, formatNumber, formatPercent, NOTHING } from "#client/ui/format.ts"
import type { CustomersLost, Fault, NextFailures, Srlg } from "#protocol/rest-generated.ts"

/** A fault's element by its name here; what the twin does not have keeps its id, and says so. */
export const faultName = (fault: Fault, srlgs: readonly Srlg[] = []): string => {
  const state = twin.value
  const gone = (id: string) => t("whatif.gone", { id })
  switch (fault.kind) {
    case "link":
    case "drain": {
      const slot = state?.linkById.get(fault.link)
      return state === null || slot === undefined ? gone(fault.link) : linkTitle(state, slot)
    }
    case "router":
      return deviceName(fault.device) ?? gone(fault.device)
    case "interface":
      return `${deviceName(fault.device) ?? gone(fault.device)} ${fault.interface}`
    case "site":
      return state?.sites.name[state.sites.id.indexOf(fault.site)] ?? gone(fault.site)
    case "srlg":
      return srlgs.find(({ id }) => id === fault.srlg)?.name ?? fault.srlg
  }
}

const deviceName = (id: string): string | undefined => {
  const slot = twin.value?.nodeById.get(id)
  return slot === undefined ? undefined : twin.value?.nodes.name[slot]
}

/** Unknown is a word, never a zero. */
export const customersText = ({ count, measured, estimated }: CustomersLost): string => {
  if (count !== null) return formatCompact(language.value, Math.round(count))
  const known = Math.round(measured + estimated)
  return known === 0
    ? t("whatif.quality.unknown")
    : t("whatif.customers.least", { count: formatCompact(language.value, known) })
}

/** Which part was counted, which was reckoned, and of whom nobody knows. */
export const customersWhy = ({ count, measured, estimated, uncounted }: CustomersLost): string => {
  const parts: string[] = []
  if (measured > 0) parts.push(tCount("whatif.customers.measured", Math.round(measured)))
  if (estimated > 0) parts.push(tCount("whatif.customers.estimated", Math.round(estimated)))
  if (uncounted > 0) parts.push(tCount("whatif.customers.uncounted", uncounted))
  if (parts.length > 0) return parts.join(" · ")
  return t(count === null ? "whatif.customers.unknown" : "whatif.customers.none")
}

export const percentWord = (bps: number, capacityBps: number | null): string => {
  const percent = percentOf(bps, capacityBps)
  return percent === null ? NOTHING : formatPercent(language.value, Math.round(percent))
}

/** `0.5 a year`: an expectation, not a promise. */
export const perYearText = (perYear: number): string =>
  t("whatif.peryear", { count: formatNumber(language.value, perYear, perYear < 1 ? 2 : 1) })

type Candidate = NextFailures["candidates"][number]
/** What the rank's element leaves without a second way, in words. */
export const redundancyKey = ({ devices, customers }: Pick<Candidate, "devices" | "customers">): Key =>
  devices > 0 ? "next.redundancy.none" : (customers.count ?? 0) > 0 ? "next.redundancy.partial" : "next.redundancy.full"

export const elementFault = ({ kind, id }: Candidate["element"]): Fault => {
  if (kind === "link") return { kind, link: id }
  if (kind === "router") return { kind, device: id }
  return kind === "site" ? { kind, site: id } : { kind, srlg: id }
}
