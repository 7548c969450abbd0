/** Puts the cursor into the search box at once: what is typed right after `/` or Ctrl-K must land in it. */
let input: HTMLInputElement | null = null

/** The box announces itself when it is mounted. */
export const setSearchInput = (element: HTMLInputElement | null): void => {
  input = element
}

export const focusSearch = (): void => {
  input?.focus()
  input?.select()
}
