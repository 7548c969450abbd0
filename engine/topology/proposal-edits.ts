/**
 * What accepting a proposal does to the inventory: it declares the link, or moves the ends of the one that it contradicts,
 * or gives a role; each a plan on what is stored, as every edit is. Throws EditRefused.
 */
import type { Reach, DeclaredDevice, DeclaredLink } from "#engine/inventory-api/declared.ts"
import { declaredLink, deviceById, linkOf, seesSite } from "#engine/inventory-api/declared.ts"
import { conflict, refused } from "#engine/inventory-api/edit-refused.ts"
import { createLink, updateDevice, type Plan } from "#engine/inventory-api/edits.ts"
import { NO_EDIT, type Planned } from "#engine/storage/inventory-change.ts"
import { pairKey, same, type Stored } from "#engine/storage/inventory-rows.ts"
import type { Tx } from "#engine/storage/db.ts"
import { deviceId } from "#protocol/id.ts"
import type { Link } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"

export interface End {
  readonly device: string
  readonly interface: string
}
export interface Ends {
  readonly a: End
  readonly b: End
}

/** What the audit keeps of a decision, and what is written beside it. */
export interface Deciding {
  readonly action: "proposal.accept" | "proposal.reject"
  /** Kept in the audit's `after` besides what changed. */
  readonly proposal: { readonly id: string; readonly confidence: number; readonly note: string }
  readonly beside: (tx: Tx) => Promise<void>
}

/** The same plan under the decision's name. */
const decided = <A>(plan: Planned<A>, { action, proposal, beside }: Deciding): Planned<A> => ({
  ...plan,
  beside,
  act: (rev) => {
    const act = plan.act(rev)
    return { ...act, action, after: { changed: act.after, proposal: { ...proposal } } }
  },
})

export const acceptedLink =
  (reach: Reach, ends: Ends, capacityBps: number | null, deciding: Deciding): Plan<DeclaredLink> =>
  (stored) =>
    decided(createLink(reach, { ...ends, capacityBps })(stored), deciding)

export const acceptedRole =
  (reach: Reach, device: string, role: Role, deciding: Deciding): Plan<DeclaredDevice> =>
  (stored) => {
    const declared = deviceById(stored, device)?.device.roles ?? []
    if (declared.includes(role)) throw conflict("the device has this role already")
    return decided(updateDevice(reach, device, { roles: [...declared, role] }, undefined)(stored), deciding)
  }

/**
 * The declared link gets these ends. When one of them ends another declared link, that one gets the end that came free, if
 * `agrees` knows that the devices say so too: two exchanged cables are mended by one act, and nothing is guessed.
 */
export const movedLink =
  (
    reach: Reach,
    id: string,
    ends: Ends,
    capacityBps: number | null | undefined,
    agrees: (ends: Ends) => boolean,
    deciding: Deciding,
  ): Plan<DeclaredLink> =>
  (stored) => {
    const old = linkOf(stored, reach, id)
    for (const { device } of [ends.a, ends.b]) {
      const found = deviceById(stored, device)
      if (found === undefined || !seesSite(reach, found.device.site))
        throw refused("one of the two devices is not there")
    }
    const { a, b } = turned(old, ends)
    const moved: Link = { ...old, a, b, capacityBps: capacityBps === undefined ? old.capacityBps : capacityBps }
    if (same(old, moved)) throw conflict("the link is declared like this already")
    if (same(a, b)) throw refused("a link cannot join an interface with itself")
    const others = exchanged(stored, old, moved, agrees)
    for (const link of [old, ...others.map(({ before }) => before)]) stored.links.delete(pairKey(link))
    const links = [moved, ...others.map(({ after }) => after)]
    for (const link of links) stored.links.set(pairKey(link), link)
    const after = declaredLink(moved)
    const rest = others.length === 0 ? {} : { exchangedWith: others.map((one) => declaredLink(one.after)) }
    const object = { kind: "link", id, name: linkName(stored, moved) }
    const plan: Planned<DeclaredLink> = {
      edit: { ...NO_EDIT, links },
      act: () => ({
        action: "link.move",
        object,
        before: jsonOf(declaredLink(old)),
        after: jsonOf({ ...after, ...rest }),
      }),
      report: (rev) => ({ rev, act: deciding.action, object }),
      answer: () => after,
    }
    return decided(plan, deciding)
  }

/** An end that stays keeps its side: the direction of a link's load must not change its meaning. */
const turned = (old: Link, { a, b }: Ends): Pick<Link, "a" | "b"> => {
  const [first, second] = [a, b].map((end) => ({ device: deviceId(end.device), interface: end.interface }))
  const straight = same(old.a, first!) || same(old.b, second!)
  const crossed = same(old.a, second!) || same(old.b, first!)
  return !straight && crossed ? { a: second!, b: first! } : { a: first!, b: second! }
}

/** Other links that an end is taken from, with what they get instead. */
const exchanged = (
  stored: Stored,
  old: Link,
  moved: Link,
  agrees: (ends: Ends) => boolean,
): ReadonlyArray<{ readonly before: Link; readonly after: Link }> => {
  const free = [old.a, old.b].filter((end) => !same(end, moved.a) && !same(end, moved.b))
  return [...stored.links.values()].flatMap((other) => {
    if (other.id === old.id) return []
    const isTaken = (end: Link["a"]): boolean => same(end, moved.a) || same(end, moved.b)
    if (!isTaken(other.a) && !isTaken(other.b)) return []
    const [gap] = free
    const after = gap === undefined ? null : isTaken(other.a) ? { ...other, a: gap } : { ...other, b: gap }
    if (free.length !== 1 || after === null || !agrees(after))
      throw conflict(`${linkName(stored, other)} is declared there: move or remove it first`)
    return [{ before: other, after }]
  })
}

const linkName = (stored: Stored, { a, b }: Link): string =>
  [a, b].map((end) => `${deviceById(stored, end.device)?.name ?? ""} ${end.interface}`).join(" - ")

const jsonOf = (link: DeclaredLink & { readonly exchangedWith?: readonly DeclaredLink[] }) => ({
  id: link.id,
  a: { ...link.a },
  b: { ...link.b },
  capacityBps: link.capacityBps,
  ...(link.exchangedWith === undefined
    ? {}
    : { exchangedWith: link.exchangedWith.map(({ id, a, b }) => ({ id, a: { ...a }, b: { ...b } })) }),
})
