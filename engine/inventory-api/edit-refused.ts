/** Why a change of the inventory was not made; the API makes a problem of it. `detail` is for the operator, without secrets. */
import * as Data from "effect/Data"

export class EditRefused extends Data.TaggedError("EditRefused")<{
  /** `notFound` = there is none, or none that this caller may see; `changed` = If-Match named another version. */
  readonly why: "notFound" | "refused" | "conflict" | "changed"
  readonly detail: string
}> {
  override get message(): string {
    return this.detail
  }
}

export const notFound = (): EditRefused => new EditRefused({ why: "notFound", detail: "there is no such thing here" })
export const refused = (detail: string): EditRefused => new EditRefused({ why: "refused", detail })
export const conflict = (detail: string): EditRefused => new EditRefused({ why: "conflict", detail })
export const changedMeanwhile = (): EditRefused =>
  new EditRefused({ why: "changed", detail: "it was changed in the meantime: read it again" })
