/**
 * What is cut for want of room can be read in full under the pointer: what is wider than its place and ends in an ellipsis gets its
 * text as a title while it is. One listener for every list of every screen; a title that somebody wrote stays.
 */

/** Marks a title as ours, so that it can go when there is room again. */
const OURS = "fullText"

export const followCutText = (): void => {
  document.addEventListener("pointerover", ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    const cut = getComputedStyle(target).textOverflow === "ellipsis" ? target : target.closest<HTMLElement>(".ellipsis")
    if (cut !== null) tellInFull(cut)
  })
}

const tellInFull = (element: HTMLElement): void => {
  const mine = Object.hasOwn(element.dataset, OURS)
  if (element.title !== "" && !mine) return
  if (element.scrollWidth > element.clientWidth) {
    element.title = (element.textContent ?? "").trim()
    element.dataset[OURS] = ""
  } else if (mine) {
    element.removeAttribute("title")
    delete element.dataset[OURS]
  }
}
