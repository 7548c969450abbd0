/**
 * An incident as somebody sees it who may only see some sites: it exists for them when it touches one, and of what lies
 * elsewhere no name is shown, neither in the title nor in causes, evidence, symptoms or timeline.
 */
import type { CauseMember, CauseView, IncidentView } from "#protocol/incident.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** What somebody may see: ids of sites, devices and links. */
export interface SeenPlaces {
  readonly sites: ReadonlySet<string>
  readonly devices: ReadonlySet<string>
  readonly links: ReadonlySet<string>
}

/** Of the caller's own twin (engine/tenant/site-view.ts). */
export const placesOf = ({ sites, devices, links }: Inventory): SeenPlaces => ({
  sites: new Set(sites.map(({ id }) => id as string)),
  devices: new Set(devices.map(({ id }) => id as string)),
  links: new Set(links.map(({ id }) => id as string)),
})

const ELSEWHERE = "outside your sites"

/** Null = it touches nothing that they see. */
export const cutToPlaces = (view: IncidentView, seen: SeenPlaces): IncidentView | null => {
  const { impact } = view
  const isHere = (device: string | null | undefined): boolean => device != null && seen.devices.has(device)
  const symptoms = view.symptoms.filter(({ device }) => isHere(device))
  const sites = impact.sites.filter((site) => seen.sites.has(site))
  const devices = impact.devices.filter((device) => seen.devices.has(device))
  const links = impact.links.filter((link) => seen.links.has(link))
  const causes = view.causes.map((cause) => causeSeen(cause, seen))
  const touches = symptoms.length + sites.length + devices.length + links.length > 0
  if (!touches && !causes.some(({ members }) => members.some(({ id }) => id !== ""))) return null
  const whole = view.causes.every(({ members }) => members.every((member) => isMemberSeen(member, seen)))
  return {
    ...view,
    title: whole && view.causes.length > 0 ? view.title : `Incident with a cause ${ELSEWHERE} or unknown`,
    causes: causes.map((cause) => ({ ...cause, because: whole ? cause.because : "" })),
    // How many subscribers the whole incident costs is a figure of the other sites, too.
    impact: { ...impact, sites, devices, links, services: [], subscribers: null, subscribersPart: null },
    symptoms: symptoms.map((symptom) => ({
      ...symptom,
      why: whole || symptom.why === null ? symptom.why : `explained by a cause ${ELSEWHERE}`,
    })),
    timeline: view.timeline.filter(({ by, device }) => by !== "" || isHere(device)),
    confirmed:
      view.confirmed === null
        ? null
        : { ...view.confirmed, members: view.confirmed.members.map((member) => memberSeen(member, seen)) },
    probing: whole ? view.probing : [],
  }
}

const isMemberSeen = ({ kind, id }: CauseMember, { sites, devices, links }: SeenPlaces): boolean => {
  switch (kind) {
    case "device":
    case "interface":
      return devices.has(id)
    case "link":
      return links.has(id)
    case "site":
      return sites.has(id)
    case "srlg":
      return false
  }
}

const memberSeen = (member: CauseMember, seen: SeenPlaces): CauseMember =>
  isMemberSeen(member, seen) ? member : { fault: member.fault, kind: member.kind, id: "", name: ELSEWHERE }

const causeSeen = (cause: CauseView, seen: SeenPlaces): CauseView => ({
  ...cause,
  members: cause.members.map((member) => memberSeen(member, seen)),
  evidence: cause.evidence.filter(({ device }) => device !== null && seen.devices.has(device)),
})
