import { operationNames, operations, type Operation, type OperationName } from '../../clink/contract.ts'
import { Refusal } from '../refusal.ts'

export interface Route {
  readonly name: OperationName
  readonly operation: Operation
  readonly path: ReadonlyMap<string, string>
}

interface Candidate {
  readonly name: OperationName
  readonly operation: Operation
  readonly segments: readonly string[]
  /** Query parameters without which the row is not meant: two rows may share a path. */
  readonly needs: readonly string[]
}

const candidates: readonly Candidate[] = operationNames.map((name) => {
  const operation = operations[name]
  const needs = Object.entries(operation.parameters)
    .filter(([, parameter]) => parameter.in === 'query' && parameter.required)
    .map(([parameter]) => parameter)
  return { name, operation, segments: operation.path.split('/').slice(1), needs }
})

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Refusal(400, `The path has a broken percent-encoding in ${JSON.stringify(text)}`)
  }
}

/** A literal segment weighs more than a parameter, so that `/clinks/mark-read` is not taken for a clink's id. */
function fit(candidate: Candidate, segments: readonly string[]): number | undefined {
  if (candidate.segments.length !== segments.length) return undefined
  let weight = candidate.needs.length
  for (const [index, segment] of candidate.segments.entries()) {
    const given = segments[index] ?? ''
    if (segment.startsWith('{')) {
      if (given === '') return undefined
    } else if (segment === given) weight += 10
    else return undefined
  }
  return weight
}

/** The row that a request means: 404 where no path fits, 405 where only the method does not. */
export function findRoute(method: string, pathname: string, query: URLSearchParams): Route {
  const segments = pathname.split('/').slice(1)
  const fitting = candidates
    .map((candidate) => ({ candidate, weight: fit(candidate, segments) }))
    .filter(({ weight }) => weight !== undefined)
  if (fitting.length === 0) throw new Refusal(404, `No such path: ${pathname}`)
  const [best] = fitting
    .filter(
      ({ candidate }) => candidate.operation.method === method && candidate.needs.every((name) => query.has(name)),
    )
    .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0))
  if (best === undefined) {
    const allow = [...new Set(fitting.map(({ candidate }) => candidate.operation.method))].join(', ')
    throw new Refusal(405, `${method} is not possible here; try ${allow}`, { headers: { allow } })
  }
  const { name, operation } = best.candidate
  const path = new Map(
    best.candidate.segments.flatMap((segment, index): [string, string][] =>
      segment.startsWith('{') ? [[segment.slice(1, -1), decode(segments[index] ?? '')]] : [],
    ),
  )
  return { name, operation, path }
}
