import { z } from 'zod'
import { LONGEST } from '../base/cut-text.ts'

/** Who wants it, as their command says, and why. */
export const wish = z.object({ by: z.string().min(1).max(200), note: z.string().max(LONGEST.note).exactOptional() })
