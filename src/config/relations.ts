import type { Path } from './issue.ts'
import { selectiveSetting } from './needs-select.ts'
import type { ParsedConfig } from './schema.ts'

export interface Problem {
  readonly path: Path
  readonly message: string
}

type Sections = Partial<ParsedConfig>

/** How keys must relate to each other. Looks only at sections that are correct in themselves. */
export function relationProblems({
  inbox,
  poll,
  claim,
  concurrency,
  retry,
  shutdown,
  routes,
}: Sections): readonly Problem[] {
  const problems: Problem[] = []
  const unless = (holds: boolean, path: Path, message: string): void => {
    if (!holds) problems.push({ path, message })
  }
  if (inbox?.claim === 'batch') {
    const needing = selectiveSetting(inbox)
    unless(
      needing === undefined,
      ['inbox', 'claim'],
      `cannot be batch with ${needing}: a claiming poll takes whatever comes`,
    )
  }
  if (poll !== undefined)
    unless(poll.maxInterval >= poll.interval, ['poll', 'maxInterval'], 'is shorter than poll.interval')
  if (claim !== undefined) unless(claim.maxHold >= claim.timeout, ['claim', 'maxHold'], 'is shorter than claim.timeout')
  if (retry !== undefined)
    unless(retry.maxBackoff >= retry.backoff, ['retry', 'maxBackoff'], 'is shorter than retry.backoff')
  if (shutdown !== undefined) {
    unless(
      shutdown.drain <= shutdown.timeout,
      ['shutdown', 'drain'],
      'is longer than shutdown.timeout, of which it is a part',
    )
  }
  const names = new Map<string, number>()
  for (const [index, { name, retry: own, use, exec, http, weight = 1 }] of (routes ?? []).entries()) {
    const ways = [use, exec, http].filter((way) => way !== undefined).length
    unless(ways > 0, ['routes', index], 'does not say what runs it; write use: ./handlers/file.ts, or exec: [program]')
    unless(ways < 2, ['routes', index], 'has more than one of use, exec and http')
    unless(
      weight <= (concurrency ?? weight),
      ['routes', index, 'weight'],
      'is more than concurrency: it could never run',
    )
    const { backoff, maxBackoff } = own ?? {}
    if (backoff !== undefined && maxBackoff !== undefined) {
      unless(maxBackoff >= backoff, ['routes', index, 'retry', 'maxBackoff'], 'is shorter than backoff')
    }
    if (name === undefined) continue
    const other = names.get(name)
    unless(other === undefined, ['routes', index, 'name'], `is also the name of routes[${other}]`)
    names.set(name, index)
  }
  return problems
}
