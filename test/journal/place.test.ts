import { cpSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comparePlaces, type Machine } from '../../src/journal/place.ts'
import { TempDir } from '../support/temp-dir.ts'

const ID = '0123456789abcdef0123456789abcdef'
const machine: Machine = { id: ID, hostname: 'blue', cards: ['02:00:00:00:00:01', '02:00:00:00:00:02'] }
const container: Machine = { id: undefined, hostname: '4f1c', cards: [] }

/** Whether a directory that `first` has used is known as ours on `second`, after what was done meanwhile. */
function isKnown(first: Machine, second: Machine, meanwhile: (directory: string) => void = () => {}): boolean {
  using parent = new TempDir()
  const directory = join(parent.path, 'state')
  mkdirSync(directory)
  const { now } = comparePlaces(undefined, directory, first)
  meanwhile(directory)
  return comparePlaces(now, directory, second).isOurs
}

describe('§7: a state directory is ours', () => {
  it.each([
    ['on the same machine', machine, machine],
    ['after a change of the hostname', machine, { ...machine, hostname: 'green' }],
    ['after a change of the hostname, without a machine id', container, { ...container, hostname: '9b2e' }],
    ['after one of two network cards was exchanged', machine, { ...machine, cards: ['02:00:00:00:00:02', '02::9'] }],
    ['where the network cards are not shown any more', machine, { ...machine, cards: [] }],
    ['where the network cards are shown now', { ...machine, cards: [] }, machine],
    ['where the machine has lost its id meanwhile', { ...container, id: ID }, container],
    ['where the machine has got an id meanwhile', container, { ...container, id: ID }],
  ])('%s', (_, first, second) => {
    expect(isKnown(first, second)).toBe(true)
  })

  it('that was noted by an earlier version', () => {
    using directory = new TempDir()
    const path = realpathSync(directory.path)
    expect(comparePlaces(`${ID} ${path}`, directory.path, machine).isOurs).toBe(true)
    expect(comparePlaces(`4f1c ${path}`, directory.path, container).isOurs).toBe(true)
    expect(comparePlaces(`other ${path}`, directory.path, machine).isOurs).toBe(false)
  })
})

/** As a backup is put back, or a volume is copied for another worker: all of it the same, in another directory. */
function copy(directory: string): void {
  cpSync(directory, `${directory}.copy`, { recursive: true, preserveTimestamps: true })
  renameSync(directory, `${directory}.original`)
  renameSync(`${directory}.copy`, directory)
}

describe('§7: a state directory is another worker’s', () => {
  it.each([
    ['on another machine', machine, { ...machine, id: ID.replace('0', '1') }],
    ['on a clone of the machine, which has other network cards', machine, { ...machine, cards: ['02::7', '02::8'] }],
    ['on a clone of one without an id', { ...container, cards: ['02::1'] }, { ...container, cards: ['02::2'] }],
  ])('%s', (_, first, second) => {
    expect(isKnown(first, second)).toBe(false)
  })

  it.each([
    ['with the id of the machine', machine],
    ['without one', container],
  ])('when it is a copy in the same place, %s', (_, where) => {
    expect(isKnown(where, where, copy)).toBe(false)
  })

  it('when it was moved elsewhere', () => {
    using parent = new TempDir()
    const [one, two] = [join(parent.path, 'one'), join(parent.path, 'two')]
    mkdirSync(one)
    const { now } = comparePlaces(undefined, one, machine)
    renameSync(one, two)
    expect(comparePlaces(now, two, machine).isOurs).toBe(false)
    rmSync(two, { recursive: true })
  })
})
