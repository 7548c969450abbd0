/**
 * Where nodes without coordinates are put, so that the map can show them at all: in the middle of their placed neighbours,
 * wave by wave outwards from those that somebody placed. It is a guess and marked as one (Site.guessed). Deterministic:
 * the same graph gives the same places.
 */

export interface Place {
  readonly latitude: number
  readonly longitude: number
}

/** Degrees between a guess and the next one at the same spot, so that they do not lie on each other. */
const APART = 0.05
/** Where nobody has coordinates at all: a circle of so many degrees around 0, 0. */
const RADIUS = 10
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

/** By node. `places` = as given, null = unknown. O(nodes + edges). */
export const guessPlaces = (
  places: ReadonlyArray<Place | null>,
  edges: ReadonlyArray<readonly [number, number]>,
): readonly Place[] => {
  const neighbours: number[][] = places.map(() => [])
  for (const [a, b] of edges) {
    neighbours[a]?.push(b)
    neighbours[b]?.push(a)
  }
  // Sums of numbers with fractions depend on their order: the order of edges must not.
  for (const list of neighbours) list.sort((x, y) => x - y)
  const found: Array<Place | null> = [...places]
  let wave = found.flatMap((place, node) => (place === null ? [] : [node]))
  if (wave.length === 0) return places.map((_, node) => onCircle(node, places.length))
  const everywhere = middleOf(wave.map((node) => found[node] as Place))
  while (wave.length > 0) {
    const reached = [
      ...new Set(wave.flatMap((node) => neighbours[node] ?? []).filter((node) => found[node] === null)),
    ].sort((x, y) => x - y)
    // All of a wave look at those before it only: the order of nodes changes nothing.
    const guesses = reached.map((node) => middleOf((neighbours[node] ?? []).flatMap((other) => found[other] ?? [])))
    for (const [index, node] of reached.entries()) found[node] = apart(guesses[index] as Place, node)
    wave = reached
  }
  return found.map((place, node) => place ?? apart(everywhere, node))
}

/** On the sphere, so that two places beside the date line have their middle there, and not in Africa. */
const middleOf = (places: readonly Place[]): Place => {
  let [x, y, z] = [0, 0, 0]
  for (const { latitude, longitude } of places) {
    const [phi, lambda] = [radians(latitude), radians(longitude)]
    x += Math.cos(phi) * Math.cos(lambda)
    y += Math.cos(phi) * Math.sin(lambda)
    z += Math.sin(phi)
  }
  // Opposite places have no middle: the first one is as good as any.
  if (Math.hypot(x, y, z) < 1e-9) return places[0] as Place
  return { latitude: degrees(Math.atan2(z, Math.hypot(x, y))), longitude: degrees(Math.atan2(y, x)) }
}

const apart = ({ latitude, longitude }: Place, node: number): Place => {
  const angle = node * GOLDEN_ANGLE
  const away = APART * Math.sqrt(1 + (node % 400))
  return rounded({ latitude: latitude + away * Math.sin(angle), longitude: longitude + away * Math.cos(angle) })
}

const onCircle = (node: number, nodes: number): Place => {
  const angle = (2 * Math.PI * node) / Math.max(1, nodes)
  return rounded({ latitude: RADIUS * Math.sin(angle), longitude: RADIUS * Math.cos(angle) })
}

/** A guess has no more digits than it is worth: about a hundred metres. */
const rounded = ({ latitude, longitude }: Place): Place => ({
  latitude: round(Math.max(-85, Math.min(85, latitude))),
  longitude: round(((((longitude + 180) % 360) + 360) % 360) - 180),
})
const round = (value: number): number => Math.round(value * 1_000) / 1_000 + 0
const radians = (value: number): number => (value * Math.PI) / 180
const degrees = (value: number): number => (value * 180) / Math.PI
