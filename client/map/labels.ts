/**
 * Where the names of trouble go on the map: worst first, beside their mark, on the first side that is free of other
 * labels and of the panels; a label without room is left out, as the list beside the map names everything. Pure.
 */
export interface LabelWish {
  readonly slot: number
  readonly mark: number
  /** Screen pixels of the mark. */
  readonly x: number
  readonly y: number
  readonly width: number
}
export interface PlacedLabel {
  readonly slot: number
  readonly mark: number
  /** Left and top, whole pixels: fractions blur text and make pictures differ. */
  readonly left: number
  readonly top: number
}
export interface Rect {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export const LABEL_HEIGHT = 22
const GAP = 13

export const placeLabels = (
  wishes: readonly LabelWish[],
  screen: Rect,
  taken: readonly Rect[],
  most: number,
): readonly PlacedLabel[] => {
  const used: Rect[] = [...taken]
  const placed: PlacedLabel[] = []
  const order = [...wishes].sort((a, b) => a.mark - b.mark || a.slot - b.slot)
  for (const wish of order) {
    if (placed.length >= most) break
    if (wish.x < screen.left || wish.x > screen.right || wish.y < screen.top || wish.y > screen.bottom) continue
    if (taken.some((rect) => contains(rect, wish.x, wish.y))) continue
    const spot = sidesOf(wish).find((rect) => inside(rect, screen) && !used.some((other) => overlap(rect, other)))
    if (spot === undefined) continue
    used.push(spot)
    placed.push({ slot: wish.slot, mark: wish.mark, left: spot.left, top: spot.top })
  }
  return placed
}

const sidesOf = ({ x, y, width }: LabelWish): readonly Rect[] => {
  const rect = (left: number, top: number): Rect => {
    const l = Math.round(left)
    const t = Math.round(top)
    return { left: l, top: t, right: l + width, bottom: t + LABEL_HEIGHT }
  }
  const middle = y - LABEL_HEIGHT / 2
  return [
    rect(x + GAP, middle),
    rect(x - GAP - width, middle),
    rect(x - width / 2, y - GAP - LABEL_HEIGHT),
    rect(x - width / 2, y + GAP),
    rect(x + GAP, middle + LABEL_HEIGHT),
    rect(x + GAP, middle - LABEL_HEIGHT),
  ]
}

const overlap = (a: Rect, b: Rect): boolean =>
  a.left < b.right + 3 && b.left < a.right + 3 && a.top < b.bottom + 2 && b.top < a.bottom + 2
const inside = (a: Rect, b: Rect): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom
const contains = (rect: Rect, x: number, y: number): boolean =>
  x > rect.left && x < rect.right && y > rect.top && y < rect.bottom
