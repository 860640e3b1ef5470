import { afterEach, describe, expect, it } from 'vitest'
import { testWorker, type TestWorker } from '../../src/testing/index.ts'

let open: TestWorker | undefined

/** A worker with the example handlers as they are shipped. */
async function working(...clinks: readonly string[]): Promise<TestWorker> {
  return (open = await testWorker({ handlers: 'handlers', clinks, service: { defaultTimeout: 9 } }))
}

afterEach(async () => await open?.close())

const texts = ({ sent }: TestWorker): readonly (string | undefined)[] =>
  sent.map(({ content }) => content.split('\n')[0])

describe('the example handlers', () => {
  it('answer.ts takes what the others do not, and says what it saw', async () => {
    const worker = await working(' three  short words ', 'one')
    const [three, one] = [await worker.settled(worker.ids[0]), await worker.settled(worker.ids[1])]
    expect(three.response).toContain('Hello bob')
    expect(three.response).toContain('You wrote 3 words to Operations at 2026-01-05T08:00:00')
    expect(one.response).toContain('You wrote 1 word to Operations')
    expect(three.log).toMatchObject([{ level: 'debug', message: 'counted', fields: { words: 3 } }])
  })

  it('disk.ts answers with what df says', async () => {
    const worker = await working('disk /tmp', 'Disk')
    expect((await worker.settled(worker.ids[0])).response).toMatch(/^\/tmp: \d+\.\d of \d+\.\d GB used \(\d+%\)$/)
    expect((await worker.settled(worker.ids[1])).response).toMatch(/^\/: /)
  })

  it('disk.ts rejects a path that is not there', async () => {
    const worker = await working('disk /no/such/path')
    expect(await worker.settled()).toMatchObject({
      outcome: 'given-up',
      reason: 'df cannot look at /no/such/path',
      attempts: 1,
    })
  })

  it('disk.ts leaves anything that is not a plain path to others', async () => {
    const worker = await working('disk', 'disk /var/log', 'disk ; rm -rf /', 'disk $(id)', 'diskette')
    const routes: (string | undefined)[] = []
    for (const id of worker.ids) routes.push((await worker.settled(id)).runs[0]?.route)
    expect(routes).toEqual(['disk', 'disk', 'answer', 'answer', 'answer'])
  })

  it('report.ts works in steps and tells the group when it is half done', async () => {
    const worker = await working('report 3')
    const { log, response } = await worker.settled()
    expect(response).toBe('Report finished: 3 steps')
    expect(log.map(({ fields }) => fields)).toEqual([1, 2, 3].map((step) => ({ step, steps: 3 })))
    expect(texts(worker)).toEqual(['Report for bob: 2 of 3 steps done', 'Report finished: 3 steps'])
    expect(worker.sent.map(({ to }) => to)).toEqual([undefined, 'user_bob'])
  })

  it('report.ts goes back to the inbox between two steps when the worker stops', async () => {
    const worker = await working('report 20')
    worker.shutdownAt('5s', { restartAfter: 'never' })
    const { log, outcome, reason } = await worker.settled()
    expect({ outcome, reason, steps: log.length }).toEqual({
      outcome: 'released',
      reason: 'the worker is stopping',
      steps: 3,
    })
  })

  it('report.ts ends in the middle of a step when its claim is lost', async () => {
    const worker = await working('report 20')
    worker.loseLeaseAt('1s')
    await worker.advance('10m')
    expect(worker.events).toContainEqual(expect.objectContaining({ event: 'clink.ended', outcome: 'lost' }))
    expect(texts(worker)).toEqual([])
  })

  it('report.ts begins again after a crash', async () => {
    const worker = await working('report 4')
    worker.crashAt('5s')
    const { attempts, outcome } = await worker.settled()
    expect({ attempts, outcome }).toEqual({ attempts: 2, outcome: 'completed' })
  })

  it.each(['report 0', 'report 21'])('report.ts rejects %s', async (content) => {
    const worker = await working(content)
    expect(await worker.settled()).toMatchObject({ outcome: 'given-up', reason: 'a report has 1 to 20 steps' })
  })
})
