/**
 * Ask: a message that carries a reply function, and an effect that waits for its call. Always with a deadline: an actor
 * may crash on the question, and then nobody answers. The answer is delivered after the answering turn, because
 * resuming a fiber runs it at once, on the stack of whoever resumes it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { ActorRef } from "#engine/actors/actor.ts"
import type { ActorSystem } from "#engine/actors/system.ts"

/** No answer within the deadline. */
export class AskTimeout extends Data.TaggedError("AskTimeout")<{
  readonly actor: string
  readonly deadlineMs: number
}> {}

/** The mailbox did not take the question: full, quarantined or stopped. */
export class AskRefused extends Data.TaggedError("AskRefused")<{ readonly actor: string; readonly status: string }> {}

/** Call it once; later calls, and calls after the deadline, are counted as late dead letters. */
export type Reply<A> = (answer: A) => void

export const ask = <M, A>(
  system: ActorSystem,
  actor: ActorRef<M>,
  question: (reply: Reply<A>) => M,
  deadlineMs: number,
): Effect.Effect<A, AskTimeout | AskRefused> =>
  Effect.callback<A, AskTimeout | AskRefused>((resume) => {
    let open = true
    const timer = system.timers.after(deadlineMs, () => {
      open = false
      resume(Effect.fail(new AskTimeout({ actor: actor.id, deadlineMs })))
    })
    const close = (): void => {
      open = false
      timer.cancel()
    }
    const reply = (answer: A): void => {
      if (!open) return system.deadLetters.count("late")
      close()
      system.afterTurn(() => resume(Effect.succeed(answer)))
    }
    if (!actor.tell(question(reply))) {
      close()
      resume(Effect.fail(new AskRefused({ actor: actor.id, status: actor.status() })))
    }
    return Effect.sync(close)
  })
