import type { Clink } from '../clink/records.ts'
import type { HandlerContext } from '../handlers/handler.ts'
import type { Route } from '../handlers/route.ts'

/** How the handler's code ended. */
export type RunEnd =
  { readonly ended: 'returned'; readonly value: unknown } | { readonly ended: 'threw'; readonly error: unknown }

/** Executes handlers. The promise settles when the handler's code has really ended, and never rejects. */
export interface Runner {
  run(route: Route, clink: Clink, context: HandlerContext): Promise<RunEnd>
}
