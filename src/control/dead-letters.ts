import { z } from 'zod'
import { isChosen, type Choice } from '../ledger/choice.ts'
import type { DeadLetter } from '../ledger/dead-letters.ts'
import type { LateResult } from '../ledger/late-results.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Page } from '../ledger/page.ts'
import type { Asked } from './asked.ts'

export const pageSchema = <Row>(row: z.ZodType<Row>): z.ZodType<Page<Row>> => z.object(pageOf(row))

/** As far as it is known here, where the store of the fleet cannot be asked: `away` says why. */
export interface SharedPage<Row> extends Page<Row> {
  readonly away?: string
}

export const sharedPageSchema = <Row>(row: z.ZodType<Row>): z.ZodType<SharedPage<Row>> =>
  z.object({ ...pageOf(row), away: z.string().exactOptional() })

const pageOf = <Row>(row: z.ZodType<Row>) => ({
  rows: z.array(row),
  next: z.object({ at: z.number(), id: z.string() }).exactOptional(),
})

export function shared<Row>(page: Page<Row>, { away }: Pick<Asked, 'away'>): SharedPage<Row> {
  const problem = away?.()
  return problem === undefined ? page : { ...page, away: problem }
}

/** A step that is kept for a clink. `begins`: the first characters of what it came to, where they are asked for. */
export const shownStep = z.object({
  is: z.enum(['step', 'sleep', 'reply']),
  name: z.string(),
  /** Wall time; left out where an earlier version has kept it. */
  at: z.number().exactOptional(),
  bytes: z.number(),
  begins: z.string().exactOptional(),
})
export type ShownStep = z.infer<typeof shownStep>

const SHOWN = 100

export async function stepsOf(
  { id, texts }: { readonly id: string; readonly texts: boolean },
  ledger: Ledger,
): Promise<ShownStep[]> {
  const clink = ledger.letters.get(id)?.clink
  if (clink === undefined) return []
  const steps = [...(await ledger.steps.of(clink)).values()].map(({ at, is, name, value }): ShownStep => {
    const begins = texts ? { begins: value.slice(0, SHOWN) } : {}
    return { is, name, ...(typeof at === 'number' && { at }), bytes: Buffer.byteLength(value), ...begins }
  })
  return steps.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))
}

/** A page is looked through as it is, however little of it is chosen: nobody waits for it while it looks through more. */
export function chosenPage<Row extends DeadLetter | LateResult>(
  { rows, ...more }: Page<Row>,
  choice: Choice,
): Page<Row> {
  return { rows: rows.filter((row) => isChosen(choice, row)), ...more }
}
