/** A QR code as one SVG path, drawn from DOM nodes: always dark on white, because that is what cameras read. */
import { encode } from "uqr"
import { qrPath } from "#client/ui/qr-path.ts"

/** Modules of quiet zone around the code (ISO/IEC 18004: 4). */
const QUIET = 4

export const QrCode = ({ text, label }: { text: string; label: string }) => {
  const { data, size } = encode(text, { ecc: "M", border: QUIET })
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={qrPath(data)} fill="#000" />
    </svg>
  )
}
