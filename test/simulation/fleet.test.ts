import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'
import { FLEET } from './world.ts'

const SEEDS = 24
const FIRST = 1

describe('three workers of a fleet on virtual time', { timeout: 120_000 }, () => {
  it(`keep their promises over ${SEEDS} seeds`, async () => {
    const breaches: string[] = []
    let [requests, runs, fleets] = [0, 0, 0]
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const verdict = await runSeed(seed, { vocabulary: [FLEET, 'steps'] })
      breaches.push(
        ...verdict.breaches.map(({ at, life = '', rule, text }) => `${seed} ${at} ${life} ${rule}: ${text}`),
      )
      requests += verdict.requests
      runs += verdict.runs
      if (verdict.words.includes(FLEET)) fleets += 1
    }
    expect(breaches).toEqual([])
    expect(fleets).toBe(SEEDS)
    expect([requests > 50 * SEEDS, runs > 5 * SEEDS]).toEqual([true, true])
  })

  it.for([1, 2, 3, 4, 5, 6, 7, 8])('claim nothing while their fleet is paused (seed %i)', async (seed) => {
    expect((await runSeed(seed, { vocabulary: [FLEET, 'paused-fleet'] })).breaches).toEqual([])
  })

  it.for([
    [1006, 'what one has given back again the others leave alone, though one has forgotten the first time'],
    [1007, 'a letter that waits for its store keeps nobody from anything'],
    [2046, 'a letter whose start cost nothing is run again by one member and not by two'],
    [2069, 'what was read before a change was written does not undo it'],
    [3055, 'what the sender was told does not bring back a letter that another member has discarded'],
    [3181, 'a member forgets the crashes of a clink with its letter'],
    [3217, 'what one has given back another one that has just claimed it by an older list gives back as well'],
    [3277, 'what one has left alone before it leaves alone anew when another one has given it back'],
    [3293, 'a change of a letter that nobody has learnt of, and is made once more, undoes nothing'],
    [3088, 'a rerun that a member with a lost disk has begun is taken over by nobody'],
    [3233, 'a stop that waits for the store of its fleet names what it leaves behind'],
    [4112, 'a start that waits for the store of its fleet is no probe'],
    [4186, 'what runs without a claim was not claimed by id'],
    [4267, 'a letter may be retried while its fleet is being told'],
    [4369, 'a stop gives back what has come, though what is remembered of it is not known yet'],
    [4471, 'a retry that waits for its store is about the letter that is there then'],
    [4544, 'a member forgets its starts of a clink that another one has given up'],
    [4583, 'a claim is held on to when its fleet has been entered'],
    [4767, 'a start is not forgotten that its fleet is about to be told of'],
    [4773, 'a retry that nobody has heard of counts where the fleet has it'],
    [5058, 'a letter is run again though another member tells late of a start before it'],
    [3222, 'a retry of a letter by a member that does not know of its discard runs nothing'],
  ] as const)('seed %i: %s', async ([seed]) => {
    expect((await runSeed(seed, { vocabulary: FLEET })).breaches).toEqual([])
  })

  it.for([
    [31, 'nobody is told that a letter was discarded which another member has had run again'],
    [207, 'what a member has begun to run again another one does not take over'],
    [225, 'who was asked first runs no letter again that another member has taken over'],
  ] as const)('seed %i with late clinks: %s', async ([seed]) => {
    expect((await runSeed(seed, { vocabulary: [FLEET, 'late'] })).breaches).toEqual([])
  })
})
