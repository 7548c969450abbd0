/** A QR code as one SVG path, drawn from DOM nodes: always dark on white, because that is what cameras read. */
import { encode } from "uqr"

/** Modules of quiet zone around the code (ISO/IEC 18004: 4). */
const QUIET = 4

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

export const QrCode = ({ text, label }: { text: string; label: string }) => {
  const { data, size } = encode(text, { ecc: "M", border: QUIET })
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={qrPath(data)} fill="#000" />
    </svg>
  )
}
