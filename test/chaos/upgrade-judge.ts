import { inParallel, noteOf, type Note } from './judge.ts'

/** A failure so close to the moment at which its route is paused, since all fails there, may cost no attempt, in milliseconds. */
const EXCUSED = 100
/** How long after it was ready what a member remembers counts on the others, in milliseconds: starts of a clink that they recalled before are over by then. */
const TOLD = 3_000

export interface UpgradeEvidence {
  /** By the service's record. */
  readonly clinks: readonly { readonly content: string; readonly status: string; readonly completions: number }[]
  /** What the handlers wrote: wall time, member, clink, what. A member of the version before has `-old` behind its name. */
  readonly notes: readonly string[]
  /** When each member was ready with the shared store. */
  readonly joined: ReadonlyMap<string, number>
  /** Contents of the clinks of which each member has dead letters, after everything. */
  readonly letters: ReadonlyMap<string, ReadonlySet<string>>
  /** Members whose route was paused since everything on it failed, as dead letters of others do in a row, and when. */
  readonly pauses: readonly { readonly name: string; readonly at: number }[]
  readonly attempts: number
}

interface UpgradeVerdict {
  readonly runs: number
  /** Handlers that did again what another member had done before it remembered with the others. */
  readonly again: number
  readonly faults: readonly string[]
}

/**
 * Whatever version has a clink: it is completed once, runs in one place at a time, and is tried as often as those may know who try it. What cannot be done is a dead
 * letter for everybody.
 */
export function judgeUpgrade({
  attempts,
  clinks,
  joined,
  letters,
  notes: lines,
  pauses,
}: UpgradeEvidence): UpgradeVerdict {
  const isExcused = ({ at, name, what }: Note): boolean =>
    what === 'fails' && pauses.some((pause) => pause.name === name && Math.abs(pause.at - at) < EXCUSED)
  const notes = lines.map(noteOf).sort((first, second) => first.at - second.at)
  const byClink = Map.groupBy(notes, ({ clink }) => clink)
  /** Whether whoever writes the second note has to know of the first one. `isKept`: steps that were done alone are known to their own directory only. */
  const knows = (second: Note, first: Note, isKept: boolean): boolean => {
    if (first.at > second.at) return false
    if (directoryOf(first) === directoryOf(second)) return true
    const since = isOld(first) && isKept ? Infinity : (joined.get(directoryOf(first)) ?? Infinity)
    return !isOld(second) && since + TOLD < second.at
  }
  const tooOften = (own: readonly Note[], what: string, most: number, isKept: boolean): readonly string[] => {
    const some = own.filter((note) => note.what === what && !isExcused(note))
    return some.flatMap((note, index) => {
      const before = some.slice(0, index).filter((first) => knows(note, first, isKept)).length
      return before < most ? [] : [`${note.clink} ${what} once more on ${note.name}, which knows of ${before}`]
    })
  }
  const all = [...letters.keys()]
  const faults = clinks.flatMap(({ completions, content, status }) => {
    const own = byClink.get(content) ?? []
    const isPoison = content.startsWith('poison')
    const without = all.filter((name) => letters.get(name)?.has(content) !== isPoison)
    return [
      ...(status === (isPoison ? 'pending' : 'completed') ? [] : [`${content} is ${status}`]),
      ...(completions > 1 ? [`${content} was completed ${completions} times`] : []),
      ...without.map((name) => `${content} is ${isPoison ? 'no' : 'a'} dead letter on ${name}`),
      ...tooOften(own, 'fails', attempts, false),
      ...tooOften(own, 'pays', 1, true),
      ...tooOften(own, 'is-done', 1, false),
      ...inParallel(content, own, []),
    ]
  })
  const done = [...byClink.values()].map((own) => own.filter(({ what }) => what === 'is-done').length)
  const again = done.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
  return { runs: notes.filter(({ what }) => what === 'starts').length, again, faults }
}

function isOld({ name }: Note): boolean {
  return name.endsWith('-old')
}

function directoryOf({ name }: Note): string {
  return name.replace('-old', '')
}
