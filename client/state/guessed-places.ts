/** Places that nobody gave: an import without coordinates puts a site near its neighbours', and every screen says so. */
interface Sites {
  readonly sites: { readonly placeGuessed: Uint8Array }
}

export const hasGuessed = ({ sites }: Sites): boolean => sites.placeGuessed.includes(1)

/** Of a device, by its slot. */
export const isGuessed = (
  { sites, nodes }: Sites & { readonly nodes: { readonly site: ArrayLike<number> } },
  slot: number,
): boolean => sites.placeGuessed[nodes.site[slot] ?? -1] === 1
