import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'

describe('a seed that once broke a promise keeps it now:', { timeout: 60_000 }, () => {
  it.for([
    [1_210_457, ['steps'], 'a run is not over, nor failed, while a step of it goes on (P10, §4)'],
    [1_210_931, ['slow-store'], 'what began beside a long run did not run alone, though that has ended since (P9, §4)'],
    [
      1_181_734,
      ['page', 'pages', 'heavy', 'settings'],
      'a heavy clink that had the only seat has as many as it weighs when there are more (§4)',
    ],
    [1_160_005, ['keys', 'slow-store'], 'what an earlier process found out and could not write is not known (P6, §1)'],
    [1_153_172, ['patterns'], 'a claim whose route is looked for ends the one that was parked before (P1, §3)'],
    [1_153_087, ['patterns'], 'a stop that interrupts the look for a route says that it does (P15, §6)'],
    [1_153_960, ['shorter'], 'a key that may not claim for a while renews nothing (P4, §2)'],
    [1_161_026, ['letters', 'slow-store'], 'a stop that slept past its time writes that it was one, and ends (P8, §6)'],
    [1_144_050, [], 'so it does where it was claimed to find out whose the worker is (P1, §5)'],
    [1_145_637, ['ring', 'late'], 'a clink stays what it was parked for when the release is not answered (P1, §5)'],
    [1_152_431, ['field'], 'a run that a stop has aborted costs no attempt, also where it loses its claim (P8)'],
    [1_151_502, ['field', 'late'], 'an answer about a claim on a record without a status counts (P2, §0)'],
    [
      1_151_608,
      ['never', 'page', 'settings'],
      'a rerun that is asked for while a claim is being made is the only run (P5, §5)',
    ],
    [1_147_513, ['absent-ignore'], 'a claim made before the end of the last one was heard has an end of its own (P1)'],
    [1_148_667, ['late'], 'a claim that has run out here is not taken up for one of a lost poll (P1, §3)'],
    [
      1_145_405,
      ['failing', 'asker', 'slow-store', 'limits'],
      'a retry that was forgotten with its letter counts nothing anew (P10)',
    ],
    [
      1_147_151,
      ['never', 'failing', 'page', 'patterns'],
      'a claim that stands is renewed at once while its route is looked for (P9, §7)',
    ],
    [1_145_065, ['page', 'steps'], 'a step that goes on when its handler has failed is aborted at its timeout (P4)'],
    [1_140_437, ['field'], 'a claim that names nobody does not prove a new key where others name their owner (§8)'],
    [
      1_117_116,
      ['ring', 'sour', 'letters', 'slow-store', 'limits'],
      'a fresh clink that waits for its place in a paused route probes before one that has failed (P10, §4)',
    ],
    [
      1_126_057,
      ['times'],
      'a worker that finds out whether it is told apart may shorten the claim of another one (P3, §1)',
    ],
    [1_121_576, [], 'a rerun goes on with the key that it has begun with (P15, §8)'],
    [1_123_195, ['asker', 'settings'], 'nothing is claimed for slots that more letters have than may now (P6, §4)'],
    [
      3_058,
      ['never', 'failing', 'limits', 'steps', 'sleeps', 'settings'],
      'a rerun that has the place in its route gets a seat before those that wait for that place (P12, §4)',
    ],
    [1_115_927, ['failing'], 'a claim that had ended when a sibling made its own ends nobody’s run too late (P3, §2)'],
    [
      1_116_587,
      ['pages', 'absent-ignore', 'letters', 'settings'],
      'what has waited for maxHold, in two waits, is given back (P9, §4)',
    ],
    [
      1_111_064,
      ['patterns'],
      'a clink whose route is found late does not keep a claim by id from finding out who claims (P12, §3)',
    ],
    [
      1_110_447,
      ['asker', 'field', 'limits'],
      'what a worker sent with a key that was another owner’s is its own (P15, §5)',
    ],
    [1_115_063, ['single', 'limits'], 'what falls due has the slots of what waits, claimed, for its route (P6, §3)'],
    [1_115_297, ['failing', 'sends', 'limits'], 'so it does where several wait for their route (P6, §3)'],
    [
      1_122_922,
      ['letters', 'limits', 'settings'],
      'a clink that has failed probes while no other may have its key (P10, §4)',
    ],
    [1_116_756, ['field', 'single', 'shorter', 'limits'], 'a clink whose group is not told has no key (§0, §4)'],
    [1_115_024, ['settings', 'limits'], 'other settings leave the way of claiming that limits want (P6, §3)'],
    [1_103_176, 'all', 'a parked claim is not given back once its clink is claimed anew (P1, P2, §3)'],
    [1_102_174, 'all', 'zeros in the place of a fraction are none, and a claim has a second less (P2, §2)'],
    [786, 'all', 'the end of what was given back is heard before what a poll has claimed meanwhile (P1)'],
    [1_101_552, 'all', 'a hold that falls due while siblings are asked goes before what the poll has brought (P6, §3)'],
    [1_100_768, 'all', 'a handler that gives its clink back because the worker stops costs it no attempt (P8)'],
    [1_096_326, 'all', 'a stop gives back what is no work while it is asked how long its claim lasts (P8, §6)'],
    [1_096_535, 'all', 'a release ends the claim of which its process knew, and not the next one (P1, §6)'],
    [1_095_868, ['late'], 'code that has lost its claim keeps its slot beside the next claim on its clink (P12, §4)'],
    [1_070_494, 'all', 'what a process believes of a claim goes by what it was told itself (P2, §2)'],
    [1_071_102, 'all', 'a claim by id is made only while it has its seat (P6, §3)'],
    [1_070_502, ['page', 'ring', 'busy', 'times'], 'what a lost poll has claimed is taken up once (P1, §3)'],
    [
      1_061_416,
      ['failing', 'late', 'slow-store'],
      'what backs off gives its slot back before that is written (P6, §4)',
    ],
    [1_063_243, 'all', 'the time in which a hold is written counts as held (P10, §4)'],
    [1_004_121, [], 'a rerun sends with the key that is current when it starts (P15, §8)'],
    [3_067, 'all', 'no poll claims while a claim by id is on its way (P4, §2)'],
    [1_022_089, 'all', 'what a release costs is written with its intent, for which a stop has the time (P8, §6)'],
    [
      1_023_245,
      'all',
      'a stop does not release a parked claim whose clink a later one has brought to its end (P1, P2)',
    ],
    [5_026, 'all', 'a jump of the wall clock makes no page a refusal of the key (P2, §0)'],
    [20_030, ['bare'], 'what a sender is to be told is given up where it is never taken (P1, §5)'],
    [890_245, ['slow-store'], 'what cannot be noted as given back is not given back (P3, §5)'],
    [929_666, ['absent-ignore'], 'a clink that becomes too old while it is listed anew is not claimed (P6, §3)'],
    [930_024, 'all', 'a key that has turned out to be a stranger claims nothing that was listed before (P15, §8)'],
    [1_001_743, 'all', 'a key whose claims by id name nobody is known to be ours, and reruns go on (P1, §8)'],
    [1_024_509, 'all', 'the end of a parked claim may be heard after that of the next one (P1)'],
    [1_024_595, 'all', 'a clink that was held and is left to another key goes on waiting (P10, §8)'],
    [1_040_541, 'all', 'a clink that is claimed while its id is told as our own is not run (P15, §5)'],
    [993_818, 'old', 'a claim is held on to with another key after a crash, though the first answer is lost (P9, §7)'],
    [7_302_627, 'old', 'a wall clock that is set forward during a stop leaves its time as it is (P8, §2)'],
  ] as const)('%i (%s): %s', async ([seed, vocabulary]) => {
    const { breaches, requests } = await runSeed(seed, { vocabulary })
    expect(requests).toBeGreaterThan(50)
    expect(breaches).toEqual([])
  })
})
