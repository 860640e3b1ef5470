import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JOURNAL_VERSION } from '../../src/journal/migrations.ts'
import { keptIdentity } from '../../src/keys/identity.ts'
import { open, recalled } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'
import { clinkOf, heldOf, letterOf, parkedOf, SERVICE } from '../support/written-journal.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
const versions = readdirSync(FIXTURES).flatMap((name) => /^version-(\d+)\.db$/.exec(name)?.[1] ?? [])

// Never change what is expected here: change how it is asked. fixtures/README.md says how the files were made.
describe('journals that were written by earlier versions', () => {
  it('there is one of the version that is written now: whoever adds a migration adds the next', () => {
    expect(versions.map(Number), 'node test/journal/fixtures/write.ts writes it').toContain(JOURNAL_VERSION)
  })

  it.each(versions)('one of version %s is loaded, with all that is in it', async (version) => {
    using directory = new TempDir()
    copyFileSync(join(FIXTURES, `version-${version}.db`), join(directory.path, 'journal.db'))
    const state = open(directory.path)
    const { isOurs, ledger } = state
    expect([isOurs, ledger.isHealthy]).toEqual([true, true])
    expect(existsSync(join(directory.path, `journal.db.v${version}`))).toBe(Number(version) < JOURNAL_VERSION)

    expect(ledger.process.claims()).toEqual([heldOf('running')])
    expect(ledger.process.parked()).toEqual(Number(version) < 10 ? [] : [parkedOf('parked')])
    expect(['running', 'tried', 'nobody'].map((id) => ledger.attemptsOf(id).starts)).toEqual([1, 1, 0])
    expect([...(await ledger.steps.of(clinkOf('running'))).values()]).toMatchObject([
      { is: 'step', name: 'plan', value: '"planned"' },
    ])
    const group = { id: 4711, started: '1234', run: 'run-1' }
    expect(ledger.process.programs.all()).toEqual([{ clinkId: 'running', boot: 'boot-1', group }])
    expect(ledger.keptResult(clinkOf('kept'))).toMatchObject({ response: 'the answer' })
    expect(ledger.letters.all()).toEqual([
      letterOf('noticed', { notice: 'It failed.' }),
      letterOf('due', { rerun: { step: 'due' } }),
    ])
    const whether = async (id: string) => {
      const { isCooling, isGivenUp, isOwn } = await recalled(ledger, id)
      return { isCooling, isGivenUp, isOwn }
    }
    const no = { isCooling: false, isGivenUp: false, isOwn: false }
    expect(await whether('discarded')).toEqual({ ...no, isGivenUp: true })
    expect(await whether('cooling')).toEqual({ ...no, isCooling: true })
    expect(await whether('own')).toEqual({ ...no, isOwn: true })
    expect(ledger.late.all()).toMatchObject([{ clink: { clink_id: 'late' }, response: 'too late', attempt: 2 }])
    expect(ledger.audit.all()).toMatchObject([{ act: 'pause', by: 'ann', about: 'the route work', note: 'why' }])
    expect(ledger.process.fact('session')).toBe('0011223344556677')
    expect(ledger.process.serviceFact(SERVICE, 'siblings')).toBe('refused')
    expect(keptIdentity(ledger, SERVICE)).toBe('agent-1')
    state.close()
  })
})
