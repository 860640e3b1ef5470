import type { z } from 'zod'
import type { Asked } from './asked.ts'

/** What is asked for by one name. */
export interface Request<Params, Answer> {
  /** Whether it changes something: nothing that only looks may. */
  readonly changes: boolean
  readonly params: z.ZodType<Params>
  readonly answer: z.ZodType<Answer>
  /** @throws {CodedError} why it cannot be done. */
  readonly by: (params: Params, asked: Asked) => Answer | Promise<Answer>
}

export function row<Params, Answer>(request: Request<Params, Answer>): Request<Params, Answer> {
  return request
}
