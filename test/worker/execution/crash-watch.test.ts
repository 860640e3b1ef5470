import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { Journal } from '../../../src/journal/journal.ts'
import { tablesOf } from '../../../src/journal/state.ts'
import type { Config } from '../../../src/config/config.ts'
import type { Emit, WorkerEvent } from '../../../src/events.ts'
import { CrashWatch } from '../../../src/worker/execution/crash-watch.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import type { HeldClaim } from '../../../src/ledger/process.ts'
import { clink } from '../../support/sample-records.ts'
import { makeSettings } from '../../support/settings.ts'
import { TempDir } from '../../support/temp-dir.ts'
import { claim, letter, open, recalled } from '../../support/states.ts'

const LIMIT = 3
const DAY = 86_400_000
const EPOCH: Clock = { ...systemClock(), wall: () => 0 }

const makeWatch = (
  ledger: Ledger,
  clock: Clock,
  emit: Emit = () => {},
  retry: Partial<Config['retry']> = {},
): CrashWatch =>
  new CrashWatch({ ledger, clock, emit, settings: makeSettings({ retry }), signals: new WorkerSignals() })

const claimOf = (id: string, running: boolean): HeldClaim => ({
  ...claim,
  clink: { ...clink, clink_id: id },
  running,
})

interface Life {
  readonly ledger: Ledger
  readonly watch: CrashWatch
  /** What the start of this life said. */
  readonly events: readonly WorkerEvent[]
  /** A handler is started for each, beside what runs. */
  readonly run: (...ids: string[]) => Promise<void>
  /** Held for a later try. */
  readonly hold: (...ids: string[]) => Promise<void>
  /** The suspect is started with nothing beside it. */
  readonly runAlone: (id: string) => Promise<void>
}

/** Process lives on one state directory. A life that does not end its watch ends as by a crash. */
class Lives implements Disposable {
  readonly #directory = new TempDir()
  /** Wall time, in milliseconds. */
  now = Date.UTC(2026, 0, 5)

  /** @param isOurs false: what is remembered is a copy of another worker's. */
  async life(work: (life: Life) => Promise<void>, ending: 'crash' | 'stop' = 'crash', isOurs = true): Promise<void> {
    const state = open(this.#directory.path)
    const { ledger } = state
    const events: WorkerEvent[] = []
    const watch = makeWatch(ledger, { ...systemClock(), wall: () => this.now }, (event) => events.push(event))
    const run = async (...ids: string[]): Promise<void> => {
      for (const id of ids) await ledger.begin({ claim: claimOf(id, true) })
    }
    const hold = async (...ids: string[]): Promise<void> => {
      for (const id of ids) await ledger.process.hold(claimOf(id, false))
    }
    try {
      const claims = ledger.process.claims()
      await watch.begin(claims, isOurs)
      for (const { clink: one } of claims) await ledger.process.hold(claimOf(one.clink_id, false))
      const runAlone = async (id: string): Promise<void> => {
        await ledger.begin({ claim: claimOf(id, true) }, true)
      }
      await work({ ledger, watch, events, run, hold, runAlone })
      if (ending === 'stop') await watch.end()
    } finally {
      state.close()
    }
  }

  /** A life that is stopped before it has begun: it waited for the store of its fleet. */
  async stopsAtOnce(): Promise<void> {
    const state = open(this.#directory.path)
    try {
      await makeWatch(state.ledger, systemClock()).end()
    } finally {
      state.close()
    }
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}

const suspects = (ledger: Ledger, ...ids: string[]): string[] => ids.filter((id) => ledger.attemptsOf(id).isSuspect)

describe('P9, §4: the crash watch', () => {
  it('sees no crash at the first start, nor after a stop, whatever was running then', async () => {
    using lives = new Lives()
    for (let n = 0; n < 4; n += 1) {
      await lives.life(async ({ ledger, events, run }) => {
        expect(events).toEqual([])
        expect(suspects(ledger, 'a')).toEqual([])
        await run('a')
      }, 'stop')
    }
  })

  it('says a crash, how many in a row, and what was running', async () => {
    using lives = new Lives()
    await lives.life(async ({ run, hold }) => {
      await run('a', 'b')
      await hold('c')
    })
    await lives.life(async ({ ledger, events }) => {
      expect(events).toEqual([{ event: 'worker.crashed', crashes: 1, running: ['a', 'b'] }])
      expect(suspects(ledger, 'a', 'b', 'c')).toEqual([])
    })
    await lives.life(async ({ events }) => {
      expect(events).toEqual([{ event: 'worker.crashed', crashes: 2, running: [] }])
    })
  })

  it('leaves a crash to the next start where the one after it was stopped before it began', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('a'))
    await lives.stopsAtOnce()
    await lives.life(async ({ ledger, events }) => {
      expect(events).toEqual([{ event: 'worker.crashed', crashes: 1, running: ['a'] }])
      expect(ledger.attemptsOf('a').excused).toBe(1)
    })
  })

  it('suspects after two crashes in a row what was running at the second, nothing else', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('a', 'early'))
    await lives.life(async ({ run, hold }) => {
      await run('a', 'b')
      await hold('held')
    })
    await lives.life(async ({ ledger }) => {
      expect(suspects(ledger, 'a', 'b', 'early', 'held')).toEqual(['a', 'b'])
    })
  })

  it('does not count two crashes with a stop between them as two in a row', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('a'))
    await lives.life(async ({ run }) => await run('a'), 'stop')
    await lives.life(async ({ run }) => await run('a'))
    await lives.life(async ({ ledger, events }) => {
      expect(events).toEqual([{ event: 'worker.crashed', crashes: 1, running: ['a'] }])
      expect(suspects(ledger, 'a')).toEqual([])
    })
  })

  it('finds the clink that kills the process, gives up that one, and those beside it lose nothing', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('killer', 'beside'))
    await lives.life(async ({ run, ledger }) => {
      await run('killer', 'beside')
      await ledger.outcome('beside', { is: 'error', message: 'its own', countsAttempt: true })
    })
    for (let n = 0; n < LIMIT; n += 1) {
      await lives.life(async ({ ledger, runAlone }) => {
        expect(suspects(ledger, 'killer', 'beside')).toEqual(['killer', 'beside'])
        expect((await recalled(ledger, 'killer')).isGivenUp).toBe(false)
        await runAlone('killer')
      })
    }
    await lives.life(async ({ ledger, events, runAlone, watch }) => {
      const letters = events.filter(({ event }) => event === 'clink.deadLettered')
      expect(letters).toEqual([
        expect.objectContaining({ clink: expect.objectContaining({ clink_id: 'killer' }), attempts: LIMIT }),
      ])
      expect([(await recalled(ledger, 'killer')).isGivenUp, (await recalled(ledger, 'beside')).isGivenUp]).toEqual([
        true,
        false,
      ])
      expect(suspects(ledger, 'killer', 'beside')).toEqual(['beside'])
      expect([ledger.attemptsOf('beside').errors, ledger.attemptsOf('beside').excused]).toEqual([['its own'], 2])
      await runAlone('beside')
      await watch.survived('beside')
      expect(suspects(ledger, 'beside')).toEqual([])
    }, 'stop')
    await lives.life(async ({ ledger, events }) => {
      expect(events).toEqual([])
      expect((await recalled(ledger, 'killer')).isGivenUp).toBe(true)
    })
  })

  it('excuses nothing of a clink that had become a dead letter before the process ended: a retry has its attempts and none more (P9, §5)', async () => {
    using lives = new Lives()
    await lives.life(async ({ ledger, run }) => {
      await run('a')
      // Its claim is still noted as it was: the completion is on its way.
      await ledger.deadLetter({ ...letter, clink: { ...clink, clink_id: 'a' }, tell: 'complete' })
    })
    await lives.life(async ({ ledger }) => {
      expect(await ledger.letters.retry('a')).toBe('rerun')
      expect([await ledger.begin({ letter: 'a' }), ledger.attemptsOf('a').excused]).toEqual([1, 0])
    })
  })

  it('excuses the start that ended with the process, of what was running only', async () => {
    using lives = new Lives()
    await lives.life(async ({ run, hold }) => {
      await run('a', 'b')
      await hold('b', 'c')
    })
    await lives.life(async ({ ledger }) => {
      expect(['a', 'b', 'c'].map((id) => ledger.attemptsOf(id).excused)).toEqual([1, 0, 0])
    })
  })

  it('counts nothing against a suspect that waits while the process crashes', async () => {
    using lives = new Lives()
    for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('a', 'b'))
    for (let n = 0; n < LIMIT + 1; n += 1) await lives.life(async ({ hold }) => await hold('a', 'b'))
    await lives.life(async ({ ledger }) => {
      expect(await Promise.all(['a', 'b'].map(async (id) => (await recalled(ledger, id)).isGivenUp))).toEqual([
        false,
        false,
      ])
      expect(suspects(ledger, 'a', 'b')).toEqual(['a', 'b'])
    })
  })

  it('forgets the crashes of a suspect that has survived once', async () => {
    using lives = new Lives()
    for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('a'))
    for (let n = 1; n < LIMIT; n += 1) await lives.life(async ({ runAlone }) => await runAlone('a'))
    await lives.life(async ({ ledger, runAlone, watch }) => {
      await runAlone('a')
      await watch.survived('a')
      expect(suspects(ledger, 'a')).toEqual([])
      expect(ledger.attemptsOf('a').crashes).toBe(0)
    })
  })

  it('does not take a crash after the survival for one while alone', async () => {
    using lives = new Lives()
    for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('a'))
    for (let n = 0; n < LIMIT + 1; n += 1) {
      await lives.life(async ({ runAlone, run, watch }) => {
        await runAlone('a')
        await watch.survived('a')
        await run('a')
      })
    }
    await lives.life(async ({ ledger }) => expect((await recalled(ledger, 'a')).isGivenUp).toBe(false))
  })

  it('does not take two crashes that are weeks apart for two in a row (P9, §4)', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('a'))
    await lives.life(async ({ events, run }) => {
      expect(events).toMatchObject([{ crashes: 1 }])
      await run('b', 'c')
      lives.now += 14 * DAY
    })
    await lives.life(async ({ ledger, events }) => {
      expect(events).toEqual([{ event: 'worker.crashed', crashes: 1, running: ['b', 'c'] }])
      expect(suspects(ledger, 'a', 'b', 'c')).toEqual([])
    })
  })

  it('finds a clink that takes a day to kill the process, however long that lived (P9, §4)', async () => {
    using lives = new Lives()
    for (let n = 0; n < 2; n += 1) {
      await lives.life(async ({ run }) => {
        await run('slow killer', `beside ${n}`)
        lives.now += DAY
      })
    }
    await lives.life(async ({ ledger, events }) => {
      expect(events).toMatchObject([{ crashes: 2 }])
      expect(suspects(ledger, 'slow killer', 'beside 0', 'beside 1')).toEqual(['slow killer', 'beside 1'])
    })
  })

  it.each([0, DAY])(
    'finds a clink that ends the process by an uncaught error, though it was given back and seemed to survive, %d ms apart (P9, §4)',
    async (apart) => {
      using lives = new Lives()
      const faults = async ({ ledger, watch, run, runAlone }: Life): Promise<void> => {
        if (ledger.attemptsOf('leaks').isSuspect) await runAlone('leaks')
        else await run('leaks', 'beside')
        lives.now += apart
        await watch.fault([claimOf('leaks', true), claimOf('beside', true)])
        // As a stop does: the handlers heed their abort, and their clinks are released.
        await watch.survived('leaks')
        for (const id of ['leaks', 'beside'].filter((one) => ledger.attemptsOf(one).starts > 0)) {
          await Promise.all([ledger.outcome(id, { is: 'not-counted' }), ledger.process.drop(id)])
        }
      }
      for (let crash = 0; crash < 2; crash += 1) await lives.life(faults)
      await lives.life(async (life) => {
        expect(life.events).toMatchObject([{ event: 'worker.crashed', crashes: 2, running: ['leaks', 'beside'] }])
        expect(life.ledger.attemptsOf('leaks').isSuspect).toBe(true)
        // Nothing of this counts as an attempt.
        expect(life.ledger.attemptsOf('leaks').starts - life.ledger.attemptsOf('leaks').excused).toBe(0)
        await faults(life)
      })
      for (let crash = 1; crash < LIMIT; crash += 1) await lives.life(faults)
      await lives.life(async ({ ledger }) => {
        expect((await recalled(ledger, 'leaks')).isGivenUp).toBe(true)
        expect((await recalled(ledger, 'beside')).isGivenUp).toBe(false)
        await Promise.resolve()
      }, 'stop')
    },
  )

  it('sees no crash of its own in what was copied from a worker that runs, and holds no start against its clinks (P9, §7)', async () => {
    using lives = new Lives()
    await lives.life(async ({ run }) => await run('a'))
    await lives.life(async ({ run }) => await run('a'))
    await lives.life(
      async ({ ledger, events }) => {
        expect(events).toEqual([])
        expect(suspects(ledger, 'a')).toEqual([])
        expect([await ledger.begin({ letter: 'a' }), ledger.attemptsOf('a').excused]).toEqual([3, 2])
        await ledger.process.drop('a')
      },
      'crash',
      false,
    )
    await lives.life(async ({ events }) => {
      expect(events).toMatchObject([{ event: 'worker.crashed', crashes: 1 }])
    })
  })

  it.each([0, 1, 2, 3])(
    'counts a crash in one commit: killed after %d of them, the next start counts it as well or has it counted (P9, §4)',
    async (commits) => {
      using directory = new TempDir()
      const copy = join(directory.path, 'copy')
      const one = join(directory.path, 'one')
      const before = open(one)
      const { ledger } = before
      await ledger.process.note({ run: 'under way' })
      await Promise.all([
        ledger.process.note({ alone: 'a' }),
        ledger.begin({ letter: 'a' }),
        ledger.process.hold(claimOf('a', true)),
      ])
      for (let n = 1; n < LIMIT; n += 1) await ledger.outcome('a', { is: 'crashed' })
      before.close()

      const due: (() => void)[] = []
      const journal = new Journal({
        directory: one,
        sync: 'normal',
        onHealth: () => {},
        schedule: (commit) => {
          due.push(commit)
          return () => {}
        },
      })
      const killed = new Ledger(tablesOf(journal))
      const begun = makeWatch(killed, EPOCH).begin(killed.process.claims())
      for (let n = 0; n < commits; n += 1) {
        due.shift()?.()
        await new Promise(setImmediate)
      }
      cpSync(one, copy, { recursive: true })
      for (let commit = due.shift(); commit !== undefined; commit = due.shift()) {
        commit()
        await new Promise(setImmediate)
      }
      await begun
      journal.close()

      const next = open(copy)
      await makeWatch(next.ledger, EPOCH).begin(next.ledger.process.claims())
      expect((await recalled(next.ledger, 'a')).isGivenUp).toBe(true)
      next.close()
    },
  )

  it.each(['crash', 'fault'])(
    'finds a clink whose run was over and given back when what it had left behind ended the process by a %s (P9, §4)',
    async (how) => {
      using lives = new Lives()
      for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('leaks'))
      const { route, clink: one } = claimOf('leaks', false)
      for (let n = 0; n < LIMIT; n += 1) {
        await lives.life(async ({ ledger, runAlone, watch }) => {
          expect(suspects(ledger, 'leaks')).toEqual(['leaks'])
          await runAlone('leaks')
          await watch.endedAlone({ clink: one, route })
          await ledger.process.drop('leaks')
          if (how === 'fault') await watch.fault([])
        })
      }
      await lives.life(async ({ ledger }) => {
        expect(ledger.letters.get('leaks')?.reason).toMatch(/the process ended 3 times/)
      })
    },
  )

  it.each(['crash', 'fault'])(
    'leaves its sender to be told where `onExhausted` says so: given up by a %s (P1, §5)',
    async (how) => {
      using directory = new TempDir()
      const { ledger, close } = open(directory.path)
      await ledger.begin({ claim: claimOf('a', true) }, true)
      await Promise.all([ledger.process.note({ run: 'under way' }), ledger.outcome('a', { is: 'suspect' })])
      const watch = makeWatch(ledger, EPOCH, () => {}, { crashes: 1, onExhausted: 'complete' })
      if (how === 'crash') await watch.begin(ledger.process.claims())
      else await watch.fault([claimOf('a', true)])
      const { clink: one } = claimOf('a', true)
      expect(ledger.letters.get('a')).toMatchObject({
        tell: 'complete',
        reason: 'the process ended once while this clink ran alone',
      })
      expect((await recalled(ledger, 'a')).unconfirmed(one)).toEqual({
        response: 'This could not be done (process-ended, a).',
      })
      close()
    },
  )

  it('lets a clink be that was given up when its run was over, and did not end the process', async () => {
    using lives = new Lives()
    for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('a'))
    for (let n = 0; n < LIMIT + 1; n += 1) {
      await lives.life(async ({ runAlone, watch }) => {
        await runAlone('a')
        await watch.endedAlone({ clink: claimOf('a', false).clink, route: claim.route })
        await watch.survived('a')
      })
    }
    await lives.life(async ({ ledger }) => expect((await recalled(ledger, 'a')).isGivenUp).toBe(false))
  })

  it.each(['release', 'complete'] as const)(
    'holds nothing against a clink for a crash after it was given up, though somebody has retried it since (%s: P9, P10, §4)',
    async (tell) => {
      using lives = new Lives()
      const given = { ...claimOf('a', false).clink, content: 'work' }
      for (let n = 0; n < 2; n += 1) await lives.life(async ({ run }) => await run('a'))
      await lives.life(async ({ ledger, runAlone, watch }) => {
        await runAlone('a')
        await watch.endedAlone({ clink: given, route: claim.route })
        await ledger.deadLetter({ ...letter, clink: given, tell })
        await ledger.process.drop('a')
        await ledger.retry('a')
      })
      await lives.life(async ({ ledger, events }) => {
        expect(events.map(({ event }) => event)).toEqual(['worker.crashed'])
        expect(ledger.attemptsOf('a').crashes).toBe(0)
      })
    },
  )

  it('finds a clink that kills the process when it is run again by hand; its letter stays with the crash, its sender told (P9, §4, §5)', async () => {
    using directory = new TempDir()
    const killer = clink.clink_id
    const told = { ...letter, tell: 'complete', rerun: { step: 'due' } } as const
    const events: WorkerEvent[] = []
    for (let n = 0; n < 1 + 1 + LIMIT + 1; n += 1) {
      const state = open(directory.path)
      const { ledger } = state
      if (n === 0) await ledger.deadLetter(told)
      const left = ledger.letters.reruns().map((one) => ({ ...one, running: one.rerun?.step === 'running' }))
      const watch = makeWatch(ledger, EPOCH, (event) => events.push(event))
      await watch.begin(left)
      const isAlone = ledger.attemptsOf(killer).isSuspect
      expect(isAlone).toBe(n > 1 && n < 2 + LIMIT)
      if (ledger.letters.rerunOf(killer) !== undefined) {
        await ledger.begin({ letter: killer }, isAlone)
      }
      state.close()
    }
    const state = open(directory.path)
    const after = state.ledger.letters.get(killer)
    expect(after).toMatchObject({ tell: 'complete', reason: expect.stringMatching(/the process ended 3 times/) })
    expect(after).not.toHaveProperty('rerun')
    expect(events.filter(({ event }) => event === 'clink.deadLettered')).toHaveLength(1)
    state.close()
  })
})
