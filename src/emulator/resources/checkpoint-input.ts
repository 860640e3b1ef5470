import { operations } from '../../clink/contract.ts'
import type { Call } from '../call.ts'
import { isObject, readInput, show, type Input } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { StoredCheckpoint } from '../store/tables.ts'
import { readDependencies, type Neighbours } from './checkpoint-graph.ts'
import { openProposal } from './proposal-store.ts'

const MOST = 50
const links = ['git_branch_url', 'git_pr_url', 'git_commit_url'] as const

/** Checkpoints inside a new milestone have the same fields as one that is added later, without ids and position. */
export function checkpointInputs(given: readonly unknown[]): readonly Input[] {
  checkCount(given.length)
  const { milestone_id: _id, position: _position, ...parameters } = operations.add_checkpoint.parameters
  return given.map((item, index) => {
    if (!isObject(item)) throw new Refusal(400, `"checkpoints[${index}]" must be an object, not ${show(item)}`)
    try {
      const row = { ...operations.add_checkpoint, parameters }
      return readInput(row, { path: new Map(), query: new URLSearchParams(), body: item })
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal(error.status, `checkpoints[${index}]: ${error.message}`)
      throw error
    }
  })
}

export function checkCount(count: number): void {
  if (count < 1 || count > MOST) throw new Refusal(400, `A milestone has 1 to ${MOST} checkpoints, not ${count}`)
}

/** The web addresses that a request gives; 400 for what is none. */
export function readLinks(input: Input): Partial<Pick<StoredCheckpoint, (typeof links)[number]>> {
  const given = links.flatMap((name): [string, string][] => {
    const text = input.maybeText(name)
    if (text === undefined) return []
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
      throw new Refusal(400, `"${name}" must be a web address, not ${show(text)}`)
    }
    return [[name, text]]
  })
  return Object.fromEntries(given)
}

/** A checkpoint from its fields. */
export function newCheckpoint(call: Call, input: Input, neighbours: Neighbours): StoredCheckpoint {
  return {
    id: call.world.ids.next('cp'),
    title: input.text('title'),
    description: input.maybeText('description') ?? '',
    depends_on: readDependencies(call, input.list('depends_on'), neighbours),
    ...readLinks(input),
  }
}

/** Opens the proposal that must approve it, where the request wants one: last, when nothing can be refused any more. */
export function withConsensus(
  call: Call,
  input: Input,
  checkpoint: StoredCheckpoint,
  groupId: string,
): StoredCheckpoint {
  if (input.flag('requires_consensus') !== true) return checkpoint
  const title = `Approve checkpoint: ${checkpoint.title}`
  const { proposal_id } = openProposal(call, { group_id: groupId, title, checkpoint_id: checkpoint.id })
  return { ...checkpoint, proposal_id }
}
