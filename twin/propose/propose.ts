/**
 * Links that the devices' own words suggest (PRODUCT.md W3): hints of all kinds about one pair of ports become one proposal
 * with a confidence and its evidence. A proposal is never a link: somebody accepts it, or not (W2). Declared links that
 * the evidence contradicts come out as proposals to move an end; those that it confirms are left alone.
 */
import { EVIDENCE, SUPPORTS } from "#twin/propose/evidence/registry.ts"
import { BRIDGE } from "#twin/propose/evidence/bridge.ts"
import type { Hint, HintEnd, Surroundings } from "#twin/propose/evidence/evidence.ts"
import type { Said } from "#twin/propose/said.ts"
import { whoIsWho } from "#twin/propose/who.ts"

export interface DeclaredLink {
  readonly id: string
  readonly a: { readonly device: string; readonly interface: string }
  readonly b: { readonly device: string; readonly interface: string }
}

export interface ProposedEvidence {
  readonly kind: string
  readonly text: string
  readonly weight: number
}

export interface ProposedLink {
  /** The same ends, the same id. */
  readonly id: string
  /** The smaller device first; an interface that nothing names is null, and an operator has to fill it in. */
  readonly a: HintEnd
  readonly b: HintEnd
  /** 0..CONFIDENCE_MAX; from 0.8 on three of the kinds of evidence, or one strong one, agree. */
  readonly confidence: number
  readonly evidence: readonly ProposedEvidence[]
  /** Changes when there is other evidence than before, never with time or states alone. */
  readonly evidenceKey: string
  /** A declared link that has one of these ends elsewhere; null = none. */
  readonly contradicts: string | null
  /** What speaks against it, in words; null = nothing. */
  readonly against: string | null
}

export const CONFIDENCE_MAX = 0.99
/** Below this nobody is bothered. */
export const CONFIDENCE_MIN = 0.3
/** From here on a proposal counts as sure (PRODUCT.md W3). What only supports never lifts one over this line. */
export const SURE_FROM = 0.8
const BELOW_SURE = 0.799
/** A port that two proposals want: the weaker one has at most this. */
const CONTESTED_MAX = 0.5
/** Proposals at most, strongest first. */
export const PROPOSALS_MAX = 5_000

/** `said` in the order of the inventory, which decides between equals. */
export const proposeLinks = (said: readonly Said[], declared: readonly DeclaredLink[]): readonly ProposedLink[] => {
  const surroundings: Surroundings = { said, who: whoIsWho(said) }
  const hints = EVIDENCE.flatMap(({ hints: read }) => read(surroundings))
  const candidates = [...byPair(hints).values()].flatMap((some) => candidatesOf(some, surroundings))
  const known = declaredBy(declared)
  const open = candidates
    .filter((one) => one.confidence >= CONFIDENCE_MIN && !isDeclared(one, known))
    .map((one) => withContradiction(one, known, surroundings))
    .sort(strongestFirst)
  return withoutContest(open).sort(strongestFirst).slice(0, PROPOSALS_MAX)
}

const strongestFirst = (x: ProposedLink, y: ProposedLink): number =>
  y.confidence - x.confidence || (x.id < y.id ? -1 : x.id > y.id ? 1 : 0)

/** Hints by pair of devices, each turned so that the smaller device is its `a`. */
const byPair = (hints: readonly Hint[]): ReadonlyMap<string, readonly Hint[]> => {
  const pairs = new Map<string, Hint[]>()
  for (const hint of hints) {
    const turned = hint.a.device < hint.b.device ? hint : { ...hint, a: hint.b, b: hint.a }
    const key = `${turned.a.device} ${turned.b.device}`
    const list = pairs.get(key)
    if (list === undefined) pairs.set(key, [turned])
    else list.push(turned)
  }
  return pairs
}

/**
 * The parallel links of one pair of devices. Hints that name both ports make a candidate each; one that names a single port,
 * or none, joins the candidates that it fits, if it fits exactly one: else it would count for two links.
 */
const candidatesOf = (hints: readonly Hint[], { who }: Surroundings): readonly ProposedLink[] => {
  const groups: Group[] = []
  const sharp = (hint: Hint): number => Number(hint.a.interface !== null) + Number(hint.b.interface !== null)
  for (const hint of hints.toSorted((x, y) => sharp(y) - sharp(x))) {
    const fitting = groups.filter((group) => fits(group.a, hint.a) && fits(group.b, hint.b))
    const [only] = fitting
    if (fitting.length > 1) continue
    if (only === undefined) groups.push({ a: hint.a, b: hint.b, hints: [hint] })
    else {
      only.a = { device: hint.a.device, interface: only.a.interface ?? hint.a.interface }
      only.b = { device: hint.b.device, interface: only.b.interface ?? hint.b.interface }
      only.hints.push(hint)
    }
  }
  return groups.map((group) => supported(proposalOf(group), who))
}

interface Group {
  a: HintEnd
  b: HintEnd
  readonly hints: Hint[]
}

const fits = (known: HintEnd, hint: HintEnd): boolean =>
  known.interface === null || hint.interface === null || known.interface === hint.interface

/** Each kind counts once, by its strongest hint; both ends saying the same is stronger than one (but one wire, one fault). */
const proposalOf = ({ a, b, hints }: Group): ProposedLink => {
  const kinds = new Map<string, Hint[]>()
  for (const hint of hints) kinds.set(hint.kind, [...(kinds.get(hint.kind) ?? []), hint])
  let doubt = 1
  for (const list of kinds.values()) {
    const best = Math.max(...list.map(({ weight }) => weight))
    doubt *= (1 - best) * (list.length > 1 && best >= AGREES_FROM ? AGREED_DOUBT : 1)
  }
  const evidence = hints.map(({ kind, text, weight }) => ({ kind, text, weight }))
  return {
    id: `${endText(a)} | ${endText(b)}`,
    a,
    b,
    confidence: Math.min(CONFIDENCE_MAX, rounded(1 - doubt)),
    evidence,
    evidenceKey: keyOf(
      hints.map((hint) => {
        // A bridge forgets a silent host in minutes: that one side or both hear the other is the same evidence.
        const [x, y] = hint.kind === BRIDGE.kind ? [a, b] : [hint.a, hint.b]
        return `${hint.kind} ${endText(x)} ${endText(y)}`
      }),
    ),
    contradicts: null,
    against: null,
  }
}
const rounded = (confidence: number): number => Math.round(confidence * 1000) / 1000

/** What is left of the doubt when both ends say so; a weak hint is as weak when it is said twice. */
const AGREED_DOUBT = 0.4
const AGREES_FROM = 0.6

/** With what speaks for any link between the two; it is no evidence to return on, and makes nothing sure that was not. */
const supported = (proposal: ProposedLink, who: Surroundings["who"]): ProposedLink => {
  const [a, b] = [who.byDevice(proposal.a.device), who.byDevice(proposal.b.device)]
  if (a === null || b === null || proposal.confidence < CONFIDENCE_MIN) return proposal
  const found = SUPPORTS.flatMap(({ kind, support }) => {
    const one = support(a, b)
    return one === null ? [] : [{ kind, ...one }]
  })
  if (found.length === 0) return proposal
  const doubt = found.reduce((left, { weight }) => left * (1 - weight), 1 - proposal.confidence)
  const most = proposal.confidence < SURE_FROM ? BELOW_SURE : CONFIDENCE_MAX
  const confidence = Math.min(most, rounded(1 - doubt))
  return { ...proposal, confidence, evidence: [...proposal.evidence, ...found] }
}

// -- what is new --------------------------------------------------------------------------------------------------------

const BETWEEN_KEYS = "; "
const keyOf = (items: Iterable<string>): string => [...new Set(items)].sort().join(BETWEEN_KEYS)

/** Whether `now` holds any evidence that was not there when `before` was turned down. Less evidence is no news. */
export const hasNews = (before: string, now: string): boolean => {
  const known = new Set(before.split(BETWEEN_KEYS))
  return now.split(BETWEEN_KEYS).some((item) => !known.has(item))
}

/** All that was ever turned down of one proposal: what comes and goes is new once. */
export const turnedDown = (before: string | null, now: string): string =>
  before === null ? now : keyOf([...before.split(BETWEEN_KEYS), ...now.split(BETWEEN_KEYS)])

const endText = ({ device, interface: port }: HintEnd): string => `${device} ${port ?? "?"}`

/** Declared links by their two devices, and the first one on each port: ten thousand proposals ask, of fifty thousand links. */
interface Declared {
  readonly byPair: ReadonlyMap<string, readonly DeclaredLink[]>
  readonly byPort: ReadonlyMap<string, { readonly link: DeclaredLink; readonly index: number }>
}

const declaredBy = (declared: readonly DeclaredLink[]): Declared => {
  const byPair = new Map<string, DeclaredLink[]>()
  const byPort = new Map<string, { readonly link: DeclaredLink; readonly index: number }>()
  for (const [index, link] of declared.entries()) {
    const key = pairText(link.a.device, link.b.device)
    const list = byPair.get(key)
    if (list === undefined) byPair.set(key, [link])
    else list.push(link)
    for (const end of [link.a, link.b]) if (!byPort.has(endText(end))) byPort.set(endText(end), { link, index })
  }
  return { byPair, byPort }
}

const pairText = (x: string, y: string): string => (x < y ? `${x} ${y}` : `${y} ${x}`)

/** The same two devices on the same ports, as far as the proposal names them. */
const isDeclared = ({ a, b }: ProposedLink, { byPair }: Declared): boolean =>
  (byPair.get(pairText(a.device, b.device)) ?? []).some(
    (link) => (sameEnd(link.a, a) && sameEnd(link.b, b)) || (sameEnd(link.a, b) && sameEnd(link.b, a)),
  )

const sameEnd = (end: DeclaredLink["a"], hint: HintEnd): boolean =>
  end.device === hint.device && (hint.interface === null || hint.interface === end.interface)

const withContradiction = (proposal: ProposedLink, { byPort }: Declared, { who }: Surroundings): ProposedLink => {
  const uses = [proposal.a, proposal.b].flatMap((hint) => {
    const found = hint.interface === null ? undefined : byPort.get(endText(hint))
    return found === undefined ? [] : [found]
  })
  const link = uses.sort((x, y) => x.index - y.index)[0]?.link
  if (link === undefined) return proposal
  const words = [link.a, link.b].map((end) => `${who.byDevice(end.device)?.name ?? end.device} ${end.interface}`)
  return { ...proposal, contradicts: link.id, against: `declared is ${words.join(" - ")}` }
}

/** Strongest first goes in. One port, one wire. */
const withoutContest = (proposals: readonly ProposedLink[]): ProposedLink[] => {
  const taken = new Set<string>()
  return proposals.map((one) => {
    const ends = [one.a, one.b].filter((end) => end.interface !== null).map(endText)
    const contested = ends.some((end) => taken.has(end))
    for (const end of ends) taken.add(end)
    if (!contested || one.confidence <= CONTESTED_MAX) return one
    const against = "a stronger proposal wants one of these ports"
    return { ...one, confidence: CONTESTED_MAX, against: one.against === null ? against : `${one.against}; ${against}` }
  })
}
