/** A member did nothing from one wall time to another: it was killed, or stood still. */
export interface Cut {
  readonly name: string
  readonly what: 'killed' | 'stopped'
  readonly from: number
  readonly to: number
}

/** The database of the fleet was away from one wall time to another. */
export interface Outage {
  readonly from: number
  readonly to: number
}

/** What has become of a clink that was to be worked, by the service's record. */
interface Worked {
  readonly content: string
  readonly status: string
  readonly completions: number
}

export interface Evidence {
  readonly clinks: readonly Worked[]
  /** What the handlers wrote: wall time, member, clink, what. */
  readonly notes: readonly string[]
  readonly cuts: readonly Cut[]
  readonly outages: readonly Outage[]
  readonly attempts: number
}

export interface Verdict {
  readonly runs: number
  readonly faults: readonly string[]
  /** What the handlers wrote of each clink that something is wrong with, and that is settled. */
  readonly stories: readonly string[]
}

export interface Note {
  readonly at: number
  readonly name: string
  readonly clink: string
  readonly what: string
}

interface Run {
  readonly name: string
  readonly from: number
  /** Infinity: it was cut off. */
  readonly to: number
}

/**
 * A member that is cut off so soon after a note may not have written down what it was about, in milliseconds. Where the database was away meanwhile,
 * it had so much time once that was back.
 */
const UNWRITTEN = 3_000

/** Each clink is completed once, fails as often as the fleet may try it, takes its step once, and runs in one place at a time. */
export function judge({ attempts, clinks, cuts, notes: lines, outages }: Evidence): Verdict {
  const notes = lines.map(noteOf)
  const byClink = Map.groupBy(notes, ({ clink }) => clink)
  const wasCut = ({ at, name }: Note): boolean =>
    cuts.some((cut) => cut.name === name && cut.to >= at && cut.from <= writtenBy(at, outages))
  const faults = clinks.flatMap(({ completions, content, status }) => {
    const own = byClink.get(content) ?? []
    const most = { fails: attempts, pays: 1 }
    const tooOften = Object.entries(most).flatMap(([what, times]) => {
      const counted = own.filter((note) => note.what === what && !wasCut(note)).length
      return counted > times ? [`${content} ${what} ${counted} times, and not ${times}`] : []
    })
    return [
      ...(status === 'completed' ? [] : [`${content} is ${status}`]),
      ...(completions > 1 ? [`${content} was completed ${completions} times`] : []),
      ...tooOften,
      ...inParallel(content, own, cuts),
    ]
  })
  const strange = clinks.filter(({ content, status }) => {
    return status === 'completed' && faults.some((fault) => fault.startsWith(`${content} `))
  })
  const stories = strange.flatMap(({ content }) => lines.filter((line) => noteOf(line).clink === content))
  return { runs: notes.filter(({ what }) => what === 'starts').length, faults, stories }
}

function writtenBy(at: number, outages: readonly Outage[]): number {
  return outages.reduce(
    (by, { from, to }) => (from <= by && to >= at ? Math.max(by, to + UNWRITTEN) : by),
    at + UNWRITTEN,
  )
}

/** Two members run a clink at a time only where the first one stood still, or was killed. */
export function inParallel(content: string, notes: readonly Note[], cuts: readonly Cut[]): readonly string[] {
  const runs: Run[] = []
  for (const { at, name, what } of notes) {
    if (what === 'starts') runs.push({ name, from: at, to: Infinity })
    const last = runs.findLastIndex((run) => run.name === name)
    const run = runs[last]
    if (what === 'ends' && run !== undefined) runs[last] = { ...run, to: at }
  }
  return runs.flatMap((first, index) => {
    const cut = cuts.find(({ from, name, to }) => name === first.name && to >= first.from && from <= first.to)
    const second = runs.slice(index + 1).find(({ from }) => from < first.to)
    if (second === undefined || (cut !== undefined && cut.from <= second.from)) return []
    return [`${content} runs on ${first.name} and ${second.name} at a time`]
  })
}

export function noteOf(line: string): Note {
  const [at = '', name = '', clink = '', what = ''] = line.split(' ')
  return { at: Number(at), name, clink, what }
}
