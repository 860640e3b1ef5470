import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { show } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { StoredCheckpoint, StoredMilestone } from '../store/tables.ts'
import type { World } from '../world.ts'

export interface Home {
  readonly milestone: StoredMilestone
  readonly checkpoint: StoredCheckpoint
  /** From 1. */
  readonly order: number
}

/** Where a checkpoint is now: orders shift, ids do not. */
export function homeOf(world: World, checkpointId: string): Home | undefined {
  for (const milestone of world.tables.milestones.values()) {
    const index = milestone.checkpoints.findIndex(({ id }) => id === checkpointId)
    const checkpoint = milestone.checkpoints[index]
    if (checkpoint !== undefined) return { milestone, checkpoint, order: index + 1 }
  }
  return undefined
}

/** Everything that waits for a checkpoint. */
export function dependentsOf(world: World, checkpointId: string): readonly StoredCheckpoint[] {
  return [...world.tables.milestones.values()].flatMap(({ checkpoints }) =>
    checkpoints.filter(({ depends_on }) => depends_on.includes(checkpointId)),
  )
}

/** What of this milestone is already there when dependencies are read, and which order they are for. */
export interface Neighbours {
  readonly milestoneId: string
  readonly checkpoints: readonly StoredCheckpoint[]
  readonly order: number
}

/** Reads `depends_on` into checkpoint ids: 400 for what does not exist, is not earlier, or is of the wrong form. */
export function readDependencies(
  call: Call,
  given: readonly unknown[] | undefined,
  neighbours: Neighbours,
): readonly string[] {
  return [...new Set((given ?? []).map((item) => readOne(call, item, neighbours).id))]
}

function readOne(call: Call, item: unknown, { milestoneId, checkpoints, order }: Neighbours): StoredCheckpoint {
  const [, elsewhere, position = ''] = /^(.+):([1-9]\d{0,5})$/.exec(String(item)) ?? []
  const other = typeof item === 'string' ? elsewhere : undefined
  if (typeof item !== 'number' && other === undefined) {
    throw new Refusal(400, `"depends_on" takes orders and texts such as "ms_x:4", not ${show(item)}`)
  }
  const wanted = typeof item === 'number' ? item : Number(position)
  if (other === undefined || other === milestoneId) {
    const checkpoint = wanted < order ? checkpoints[wanted - 1] : undefined
    if (checkpoint !== undefined) return checkpoint
    throw new Refusal(400, `"depends_on" of checkpoint ${order} must name earlier checkpoints, not ${show(item)}`)
  }
  const milestone = call.world.tables.milestones.get(other)
  const checkpoint = milestone?.checkpoints[wanted - 1]
  if (milestone === undefined || checkpoint === undefined) {
    throw new Refusal(400, `"depends_on" names a checkpoint that does not exist: ${show(item)}`)
  }
  seenGroup(call, milestone.group_id)
  return checkpoint
}

/** 400 when `checkpointId` would come to wait for itself. */
export function refuseCycle(world: World, checkpointId: string, dependsOn: readonly string[]): void {
  const seen = new Set<string>()
  const open = [...dependsOn]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === checkpointId) throw new Refusal(400, '"depends_on" would make a cycle', { code: 'dependency_cycle' })
    if (seen.has(id)) continue
    seen.add(id)
    open.push(...(homeOf(world, id)?.checkpoint.depends_on ?? []))
  }
}
