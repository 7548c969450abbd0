/**
 * From what a person types to what it means in this ISP. A name that is not there is answered with the nearest ones;
 * capital letters never matter.
 */
import type { Isp, Link, Router } from "#lab/isp/model.ts"

/** A request that cannot be met, in words for the person who made it. */
export class FaultRefused extends Error {}

export const findRouter = (isp: Isp, name: string | undefined): Router => {
  if (name === undefined) throw new FaultRefused("a router's name is missing")
  const wanted = name.toLowerCase()
  const found = isp.routers.find((router) => router.name.toLowerCase() === wanted)
  if (found !== undefined) return found
  throw new FaultRefused(
    `no router is called "${name}"${suggestion(
      name,
      isp.routers.map((router) => router.name),
    )}`,
  )
}

/** The link between two routers; the interface (of either end) picks one of parallel links. */
export const findLink = (isp: Isp, a: string | undefined, b: string | undefined, port?: string): Link => {
  const [x, y] = [findRouter(isp, a), findRouter(isp, b)]
  const between = linksAt(isp, x).filter((link) => otherEnd(isp, link, x) === y.index)
  if (between.length === 0) {
    const neighbours = linksAt(isp, x).map((link) => isp.routers[otherEnd(isp, link, x)]!.name)
    throw new FaultRefused(
      `${x.name} and ${y.name} are not neighbours: ${x.name} is linked to ${neighbours.join(", ")}`,
    )
  }
  if (port === undefined) {
    if (between.length === 1) return between[0]!
    throw new FaultRefused(`${x.name} and ${y.name} share ${between.length} links: add an interface of ${x.name}`)
  }
  const named = between.find((link) => [link.a, link.b].some((end) => isp.ports[end]!.name === port))
  if (named !== undefined) return named
  const choices = between.map((link) => `${isp.ports[link.a]!.name} - ${isp.ports[link.b]!.name}`)
  throw new FaultRefused(
    `no link between ${x.name} and ${y.name} has an interface "${port}"; there is ${choices.join(", ")}`,
  )
}

export const findSite = (isp: Isp, id: string | undefined): number => {
  if (id === undefined) throw new FaultRefused("a site's id is missing")
  const wanted = id.toLowerCase()
  const found = isp.sites.findIndex((site) => site.id === wanted || site.name.toLowerCase() === wanted)
  if (found >= 0) return found
  throw new FaultRefused(
    `no site is called "${id}"${suggestion(
      id,
      isp.sites.map((site) => site.id),
    )}`,
  )
}

/** A number within bounds, or the default when nothing was given. */
export const readNumber = (
  text: string | undefined,
  what: string,
  low: number,
  high: number,
  byDefault: number,
): number => {
  if (text === undefined) return byDefault
  const value = Number(text)
  if (text.trim() !== "" && value >= low && value <= high) return value
  throw new FaultRefused(`${what} must be a number from ${low} to ${high}, not "${text}"`)
}

export const linkName = (isp: Isp, link: Link): string => {
  const [a, b] = [isp.ports[link.a]!, isp.ports[link.b]!]
  return `${isp.routers[a.router]!.name} ${a.name} - ${isp.routers[b.router]!.name} ${b.name}`
}

const linksAt = (isp: Isp, router: Router): readonly Link[] =>
  router.ports.filter((port) => isp.ports[port]!.kind === "link").map((port) => isp.links[isp.ports[port]!.wire]!)

const otherEnd = (isp: Isp, link: Link, router: Router): number => {
  const a = isp.ports[link.a]!.router
  return a === router.index ? isp.ports[link.b]!.router : a
}

const SUGGESTIONS = 3

/** `; did you mean X, Y?`, or nothing when no name is near. */
export const suggestion = (wanted: string, names: readonly string[]): string => {
  const near = names
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.ceil(name.length / 3)))
    .sort((x, y) => x.distance - y.distance || (x.name < y.name ? -1 : 1))
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name)
  return near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`
}

/** Levenshtein's, two rows. */
const editDistance = (x: string, y: string): number => {
  let above = Array.from({ length: y.length + 1 }, (_, j) => j)
  for (let i = 1; i <= x.length; i++) {
    const row = [i]
    for (let j = 1; j <= y.length; j++)
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (x[i - 1] === y[j - 1] ? 0 : 1)))
    above = row
  }
  return above[y.length]!
}
