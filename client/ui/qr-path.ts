/** A QR code's dark modules as the `d` of one SVG path. Pure. */

/** Each run of dark modules of a row is one rectangle. */
export const qrPath = (rows: readonly (readonly boolean[])[]): string => {
  const parts: string[] = []
  rows.forEach((row, y) => {
    let from = -1
    for (let x = 0; x <= row.length; x++) {
      if (row[x] === true && from < 0) from = x
      if (row[x] !== true && from >= 0) {
        parts.push(`M${from} ${y}h${x - from}v1H${from}z`)
        from = -1
      }
    }
  })
  return parts.join("")
}
