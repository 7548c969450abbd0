/** What the API does with shared-risk groups, dependency groups, providers and services: the port of its handlers. */
import type * as Effect from "effect/Effect"
import type { EditError, Editor } from "#engine/inventory-api/inventory-api.ts"
import type { StructureKind, StructureKinds as Kinds } from "#engine/storage/structure-rows.ts"

/** Somebody who sees some sites only reads members that stand there, and changes nothing. */
export interface StructureApi {
  readonly all: <K extends StructureKind>(who: Editor, kind: K) => Effect.Effect<readonly Kinds[K][], EditError>
  readonly get: <K extends StructureKind>(who: Editor, kind: K, id: string) => Effect.Effect<Kinds[K], EditError>
  readonly put: <K extends StructureKind>(
    who: Editor,
    kind: K,
    wanted: Kinds[K],
    ifMatch: string | undefined,
  ) => Effect.Effect<Kinds[K], EditError>
  readonly remove: (who: Editor, kind: StructureKind, id: string) => Effect.Effect<null, EditError>
}
