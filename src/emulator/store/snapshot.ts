import type { World } from '../world.ts'
import type { ClinksSnapshot } from './clink-store.ts'
import type {
  Owner,
  StoredFeedback,
  StoredGroup,
  StoredKey,
  StoredMilestone,
  StoredProject,
  StoredProposal,
  StoredVerification,
} from './tables.ts'

/** Everything that an emulator keeps across restarts, as JSON. */
export interface Snapshot {
  readonly format: 1
  readonly ids: { readonly tag: string; readonly count: number }
  /** By how much the clock had been moved. */
  readonly moved: number
  readonly owners: readonly Owner[]
  readonly groups: readonly StoredGroup[]
  readonly keys: readonly StoredKey[]
  readonly projects: readonly StoredProject[]
  readonly milestones: readonly StoredMilestone[]
  readonly proposals: readonly StoredProposal[]
  readonly verifications: readonly StoredVerification[]
  readonly feedback: readonly StoredFeedback[]
  readonly reads: readonly {
    readonly owner_id: string
    readonly group_id: string
    readonly upTo: number
    readonly single: readonly string[]
  }[]
  readonly clinks: ClinksSnapshot
}

export function takeSnapshot(world: World, moved: number): Snapshot {
  const { owners, groups, keys, projects, milestones, proposals, verifications, feedback, reads } = world.tables
  return {
    format: 1,
    ids: world.ids.snapshot(),
    moved,
    owners: [...owners.values()],
    groups: [...groups.values()],
    keys: [...keys.values()],
    projects: [...projects.values()],
    milestones: [...milestones.values()],
    proposals: [...proposals.values()],
    verifications: [...verifications.values()],
    feedback: [...feedback.values()],
    reads: [...reads.values()].map((mark) => ({ ...mark, single: [...mark.single] })),
    clinks: world.clinks.snapshot(),
  }
}

function fill<T>(table: Map<string, T>, items: readonly T[], id: (item: T) => string): void {
  for (const item of items) table.set(id(item), item)
}

/** Puts a snapshot into an empty world, which was made with the snapshot's ids. */
export function restoreSnapshot(world: World, kept: Snapshot): void {
  const { tables } = world
  fill(tables.owners, kept.owners, (owner) => owner.id)
  fill(tables.groups, kept.groups, (group) => group.group_id)
  fill(tables.keys, kept.keys, (key) => key.key)
  fill(tables.projects, kept.projects, (project) => project.project_id)
  fill(tables.milestones, kept.milestones, (milestone) => milestone.milestone_id)
  fill(tables.proposals, kept.proposals, (proposal) => proposal.proposal_id)
  fill(tables.verifications, kept.verifications, (verification) => verification.verification_id)
  fill(tables.feedback, kept.feedback, (feedback) => feedback.feedback_id)
  for (const { owner_id, group_id, upTo, single } of kept.reads) {
    const mark = tables.readMark(owner_id, group_id)
    mark.upTo = upTo
    for (const id of single) mark.single.add(id)
  }
  world.clinks.restore(kept.clinks)
}
