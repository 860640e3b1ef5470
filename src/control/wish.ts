import { z } from 'zod'
import { LONGEST } from '../base/cut-text.ts'

/**
 * Who wants it, as their command says, and why. A field that nobody knows is refused: without its misspelt route a pause would be one of
 * everything.
 */
export const wish = z.strictObject({
  by: z.string().min(1).max(200),
  note: z.string().max(LONGEST.note).exactOptional(),
})
