import { expect, test } from 'vitest'
import { needPromtool, promtool } from '../support/promtool.ts'
import { samplesOf } from '../support/samples.ts'
import { handler, Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const WORK = handler(`
  if (clink.content.endsWith('7')) throw new Error('no luck')
  if (clink.content.endsWith('8')) return ctx.reject('never')
  if (clink.content.endsWith('9')) return ctx.release('not mine')
  return 'done'
`)
const CLINKS = 60

/** A worker that has worked all of this, with a service that did not always answer, and where its metrics are. */
async function worked(site: Site) {
  for (let n = 0; n < CLINKS; n += 1) site.emulator.send('ops', `task ${n}`, { from: 'bob' })
  site.emulator.addFault({ operation: 'complete_clink', times: 3, then: { cut: 'after' } })
  site.emulator.addFault({ operation: 'complete_clink', times: 3, then: { status: 503 } })
  const retry = ['--set', 'retry.attempts=2', '--set', 'retry.backoff=100ms', '--set', 'inbox.claim=batch']
  const worker = site.run('--set', 'server.enabled=true', '--set', 'server.port=0', ...retry)
  const [, url = ''] = await worker.said(/"event":"server\.listening".*"url":"([^"]+)"/)
  const scrape = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text()
  await until(async () => {
    const samples = samplesOf(await scrape())
    const ended = ['complete",result="confirmed', 'release",result="confirmed'].map(
      (label) => samples.get(`clink_worker_settlements_total{kind="${label}"}`) ?? 0,
    )
    return ended.reduce((sum, one) => sum + one) === CLINKS
  }, 'every clink is settled')
  return { worker, scrape }
}

test('§7: the metrics of a worker agree with what the service has seen', async () => {
  await using site = await Site.start({ 'handlers/work.js': WORK })
  const { scrape, worker } = await worked(site)
  await using _ = worker
  const samples = samplesOf(await scrape())
  const value = (name: string): number | undefined => samples.get(`clink_worker_${name}`)
  const done = site.emulator.clinks().filter(({ status }) => status === 'completed').length
  expect(done).toBe(CLINKS * 0.7)
  expect(value('settlements_total{kind="complete",result="confirmed"}')).toBe(done)
  expect(value('outcomes_total{route="work",outcome="done"}')).toBe(done)
  expect(value('outcomes_total{route="work",outcome="failed"}')).toBe(CLINKS * 0.2)
  expect(value('outcomes_total{route="work",outcome="reject"}')).toBe(CLINKS * 0.1)
  expect(value('outcomes_total{route="work",outcome="release"}')).toBe(CLINKS * 0.1)
  expect(value('dead_letters')).toBe(CLINKS * 0.2)
  expect(value('clinks_claimed_total')).toBe(CLINKS)
  expect(value('pickup_latency_seconds_count')).toBe(CLINKS)
  expect(value('unknown_settlements')).toBe(0)
  expect(value('in_flight')).toBe(0)
  const answered = site.emulator.requests().filter(({ path, status }) => path.endsWith('/complete') && status === 200)
  expect(value('api_requests_total{operation="complete_clink",status="200"}')).toBe(answered.length)
  expect(value('api_requests_total{operation="complete_clink",status="503"}')).toBe(3)
  expect(value('api_requests_total{operation="complete_clink",status="reset"}')).toBe(3)
  await until(async () => samplesOf(await scrape()).has('clink_worker_inbox_pending'), 'the inbox is counted')
})

test('§7: promtool finds nothing to say about them', async (context) => {
  needPromtool(context)
  await using site = await Site.start({ 'handlers/work.js': WORK })
  const { scrape, worker } = await worked(site)
  await using _ = worker
  await until(async () => samplesOf(await scrape()).has('clink_worker_inbox_pending'), 'the inbox is counted')
  expect(promtool(['check', 'metrics'], await scrape())).toEqual({ code: 0, said: '' })
})

test('§7: a worker that works its inbox empty, and one without a server, listen nowhere', async () => {
  await using site = await Site.start({ 'handlers/work.js': WORK })
  await using once = site.run('--once', '--set', 'server.enabled=true', '--set', 'server.port=0')
  const { stdout } = await once.ended
  expect(stdout).toContain('worker.started')
  expect(stdout).not.toContain('server.listening')
})
