import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { tryTo } from '../base/try-to.ts'

/** The machine that a process runs on, as far as it is known. */
export interface Machine {
  /** Undefined in most containers. */
  readonly id: string | undefined
  readonly hostname: string
  /** Addresses of the network cards that it has, without what only exists in software. */
  readonly cards: readonly string[]
}

/** Where a state directory is. An empty field is not known. */
const placeSchema = z.object({
  path: z.string(),
  machine: z.string(),
  /** Which directory it is: one that was copied is another. */
  directory: z.string(),
  /** Prints of the network cards: a clone of a machine has its id and its disk, but not its cards. */
  cards: z.array(z.string()),
})

type Place = z.output<typeof placeSchema>

/**
 * Compares where a state directory is with the note `before`; undefined: the directory is new. The hostname does not
 * count: a container has another one with each start.
 *
 * @returns also the note for the next start.
 */
export function comparePlaces(before: string | undefined, directory: string, machine: Machine = thisMachine()) {
  const place = placeOf(directory, machine)
  const now = JSON.stringify(place)
  if (before === undefined) return { isOurs: true, now }
  const known = tryTo(() => placeSchema.parse(JSON.parse(before)))
  // As it was noted until version 0.1: the machine's id, or its name, and the path.
  if (known === undefined) return { isOurs: before === `${machine.id ?? machine.hostname} ${place.path}`, now }
  const isOurs =
    known.path === place.path &&
    agree(known.machine, place.machine) &&
    agree(known.directory, place.directory) &&
    (known.cards.length === 0 || place.cards.length === 0 || known.cards.some((card) => place.cards.includes(card)))
  return { isOurs, now }
}

function placeOf(directory: string, { cards, id = '' }: Machine): Place {
  const path = realpathSync(directory)
  const { birthtimeNs, ino } = statSync(path, { bigint: true })
  return {
    path,
    machine: id,
    directory: `${ino} ${birthtimeNs}`,
    cards: cards.map((card) => fingerprint(`${id} ${card}`)),
  }
}

function agree(one: string, other: string): boolean {
  return one === '' || other === '' || one === other
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

const CARDS = '/sys/class/net'

function thisMachine(): Machine {
  const id = textOf('/etc/machine-id')
  return {
    id: /^[\da-f]{32}$/.test(id) ? id : undefined,
    hostname: hostname(),
    cards: tryTo(cardsHere) ?? [],
  }
}

function cardsHere(): readonly string[] {
  return (
    readdirSync(CARDS)
      // Those of bridges and containers are made up anew each time.
      .filter((name) => existsSync(join(CARDS, name, 'device')))
      .map((name) => textOf(join(CARDS, name, 'address')))
      .filter((address) => address !== '')
  )
}

function textOf(file: string): string {
  return tryTo(() => readFileSync(file, 'utf8').trim()) ?? ''
}
