/** How answers about the network name its things: id and the name that people know, so that no screen has to look it up. */
import * as Schema from "effect/Schema"
import { named } from "#engine/api/groups/fields.ts"

export const Ref = named("Ref", Schema.Struct({ id: Schema.String, name: Schema.String }))
export const LinkRef = named(
  "LinkRef",
  Schema.Struct({
    id: Schema.String,
    /** `core1 sfp1 - core2 sfp1` */
    name: Schema.String,
  }),
)
