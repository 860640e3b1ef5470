import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { Metrics } from '../../src/metrics/metrics.ts'
import { needPromtool, promtool } from '../support/promtool.ts'
import { namesOf } from '../support/samples.ts'
import { TempDir } from '../support/temp-dir.ts'

const ALERTS = new URL('../../deploy/prometheus/alerts.yaml', import.meta.url).pathname
const DASHBOARD = new URL('../../deploy/grafana/dashboard.json', import.meta.url)
const PAGE = new URL('../../docs/operations.md', import.meta.url)

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>
}

interface Trouble {
  readonly alert: string
  /** Samples a minute, by metric; labels stand behind the name. */
  readonly series: Readonly<Record<string, string>>
  /** Minutes until it fires, and until which it does not. */
  readonly after: number
  readonly silent: number
  readonly labels?: Readonly<Record<string, string>>
  readonly description: string
}

const IDLE = { ready: '1x60', slots: '10x60', in_flight: '0x60', paused: '0x60' }

const troubles: readonly Trouble[] = [
  {
    alert: 'ClinkWorkerOldestPending',
    series: { inbox_oldest_age_seconds: '0+60x60' },
    after: 16,
    silent: 10,
    labels: { job: 'clink-worker' },
    description: 'The oldest clink that the workers of clink-worker would take has waited for 16m 0s.',
  },
  {
    alert: 'ClinkWorkerNoSuccessfulPoll',
    series: { ...IDLE, 'polls_total{result="empty"}': '0+4x10 40x60', 'polls_total{result="failed"}': '0+4x60' },
    after: 30,
    silent: 12,
    description: 'w1:7717 has slots to spare, and no poll of it was answered as it should for ten minutes.',
  },
  {
    alert: 'ClinkWorkerKeyRefused',
    series: { ...IDLE, ready: '1x10 0x50', 'api_requests_total{operation="check_inbox",status="401"}': '0x10 0+2x50' },
    after: 15,
    silent: 9,
    description: 'w1:7717 takes no clinks, since the service answers its key with 401.',
  },
  {
    alert: 'ClinkWorkerLeaseLost',
    series: { 'leases_lost_total{cause="expired"}': '0x10 5x50' },
    after: 12,
    silent: 9,
    labels: { cause: 'expired', instance: 'w1:7717', job: 'clink-worker' },
    description: 'w1:7717 has lost 5 claims within ten minutes (expired): their handlers were aborted.',
  },
  {
    alert: 'ClinkWorkerDeadLetters',
    series: { dead_letters: '0x10 3x50' },
    after: 17,
    silent: 12,
    description: 'w1:7717 has 3 clinks that it has given up.',
  },
  {
    alert: 'ClinkWorkerStuck',
    series: { stuck: '0x10 2x50' },
    after: 17,
    silent: 12,
    description: '2 runs of w1:7717 go on though they were aborted, and keep their slots.',
  },
  {
    alert: 'ClinkWorkerRoutePaused',
    series: { 'circuit_state{route="deploy"}': '0x10 1x50' },
    after: 22,
    silent: 15,
    labels: { instance: 'w1:7717', job: 'clink-worker', route: 'deploy' },
    description: 'The route deploy of w1:7717 is paused: its handler fails on whatever it is given.',
  },
  {
    alert: 'ClinkWorkerJournalUnwritable',
    series: { journal_unwritable: '0x10 1x50' },
    after: 13,
    silent: 10,
    description: 'w1:7717 claims nothing new, since it could not remember it.',
  },
  {
    alert: 'ClinkWorkerReloadFailed',
    series: { reload_failed: '0x10 1x50' },
    after: 13,
    silent: 10,
    description: 'w1:7717 works with handlers, configuration or key from before: the new ones cannot be used.',
  },
  {
    alert: 'ClinkWorkerRateLimited',
    series: { 'api_requests_total{operation="complete_clink",status="429"}': '0x10 0+1x50' },
    after: 30,
    silent: 15,
    description: '5 requests of w1:7717 were refused with 429 within five minutes.',
  },
  {
    alert: 'ClinkWorkerUnknownSettlements',
    series: { unknown_settlements: '0x10 1x50' },
    after: 22,
    silent: 15,
    description: 'w1:7717 has sent 1 results, and no answer says that the service has them.',
  },
]

const WELL = {
  ...IDLE,
  inbox_oldest_age_seconds: '30x60',
  'polls_total{result="empty"}': '0+4x60',
  'polls_total{result="claimed"}': '0+4x60',
  'api_requests_total{operation="check_inbox",status="200"}': '0+8x60',
  'leases_lost_total{cause="expired"}': '0x60',
  dead_letters: '0x60',
  stuck: '0x60',
  'circuit_state{route="deploy"}': '0x60',
  journal_unwritable: '0x60',
  reload_failed: '0x60',
  unknown_settlements: '0x60',
}

const rules: readonly Rule[] = parse(readFileSync(ALERTS, 'utf8')).groups.flatMap(
  (group: { rules: readonly Rule[] }) => group.rules,
)

function seriesOf(series: Trouble['series']): object[] {
  return Object.entries(series).map(([written, values]) => {
    const [name = '', labels = ''] = written.replace(/\}$/, '').split('{')
    const own = ['job="clink-worker"', 'instance="w1:7717"', ...(labels === '' ? [] : [labels])]
    return { series: `clink_worker_${name}{${own.join(',')}}`, values }
  })
}

/** What `promtool` says to a test of rules. */
async function judged(tests: readonly object[]): Promise<{ code: number | null; said: string }> {
  using dir = new TempDir()
  await dir.write({ 'test.yaml': stringify({ rule_files: [ALERTS], evaluation_interval: '1m', tests }) })
  return promtool(['test', 'rules', `${dir.path}/test.yaml`])
}

const PASSED = { code: 0, said: expect.stringContaining('SUCCESS') }

describe('§7: alerts', () => {
  it('promtool finds nothing to say about the rules', (context) => {
    needPromtool(context)
    expect(promtool(['check', 'rules', ALERTS])).toEqual({
      code: 0,
      said: expect.stringContaining('SUCCESS: 11 rules found'),
    })
  })

  it('each is made to fire here', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(troubles.map(({ alert }) => alert))
  })

  it.for(troubles)('$alert fires when its time has come, and not before', async (trouble, context) => {
    needPromtool(context)
    const rule = rules.find(({ alert }) => alert === trouble.alert)
    const { after, alert, description, labels = { instance: 'w1:7717', job: 'clink-worker' }, series, silent } = trouble
    const expected = {
      exp_labels: { ...rule?.labels, ...labels },
      exp_annotations: { ...rule?.annotations, description },
    }
    const test = {
      interval: '1m',
      input_series: seriesOf(series),
      alert_rule_test: [
        { eval_time: `${silent}m`, alertname: alert, exp_alerts: [] },
        { eval_time: `${after}m`, alertname: alert, exp_alerts: [expected] },
      ],
    }
    expect(await judged([test])).toEqual(PASSED)
  })

  it('none fires while all is well, while slots are taken, or while somebody has paused the worker', async (context) => {
    needPromtool(context)
    const silent = rules.map(({ alert }) => ({ eval_time: '50m', alertname: alert, exp_alerts: [] }))
    const still = { 'polls_total{result="empty"}': '5x60', 'polls_total{result="claimed"}': '5x60' }
    const all = [WELL, { ...WELL, ...still, in_flight: '10x60' }, { ...WELL, ...still, paused: '1x60' }]
    const tests = all.map((series) => ({ interval: '1m', input_series: seriesOf(series), alert_rule_test: silent }))
    expect(await judged(tests)).toEqual(PASSED)
  })

  it('each has a severity, a summary, and a part of docs/operations.md that says what to do', () => {
    const page = readFileSync(PAGE, 'utf8')
    for (const { alert, annotations, labels } of rules) {
      expect(alert).toMatch(/^ClinkWorker[A-Z]\w+$/)
      expect(['warning', 'critical']).toContain(labels['severity'])
      expect(annotations.summary).not.toBe('')
      expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`)
      expect(page).toContain(`\n### ${alert}\n`)
    }
  })
})

describe('§7: the dashboard', () => {
  const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8'))
  const panels: readonly { id: number; title: string; targets?: readonly { expr: string; datasource: object }[] }[] =
    dashboard.panels

  it('takes one data source, by a variable, and job and instance in every target', () => {
    const sources = dashboard.templating.list.filter(({ type }: { type: string }) => type === 'datasource')
    expect(sources).toHaveLength(1)
    const targets = panels.flatMap(({ targets = [] }) => targets)
    expect(targets.length).toBeGreaterThan(40)
    for (const { datasource, expr } of targets) {
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' })
      const selected = [...expr.matchAll(/(?:clink_worker|process)_\w+(\{[^}]*\})?/g)].map(([, labels = '']) => labels)
      for (const labels of selected) expect(labels).toMatch(/^\{job=~"\$job",instance=~"\$instance"/)
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  it('asks what Prometheus can read', async (context) => {
    needPromtool(context)
    const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    const rules = exprs.map((expr, n) => ({
      record: `panel:target:${n}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance)/g, '.*'),
    }))
    using dir = new TempDir()
    await dir.write({ 'rules.yaml': stringify({ groups: [{ name: 'dashboard', rules }] }) })
    expect(promtool(['check', 'rules', `${dir.path}/rules.yaml`])).toEqual(PASSED)
  })

  it('and the alerts ask for what is measured, and for nothing else', async () => {
    const metrics = new Metrics('1')
    onTestFinished(() => metrics.stop())
    await metrics.load(() => 0)
    const gauges = {
      slots: 1,
      inFlight: 0,
      deadLetters: 0,
      isJournalWritable: true,
      isPaused: false,
      circuits: [],
      inbox: undefined,
    }
    const text = await metrics.text({
      snapshot: () => ({ held: 0, parked: 0, stuck: 0, maybeClaimed: 0 }),
      readiness: () => ({ ready: true }),
      gauges: () => gauges,
    })
    const named = (expr: string): string[] =>
      [...expr.matchAll(/\b(?:clink_worker|process)_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''))
    const asked = [
      ...rules.map(({ expr }) => expr),
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ]
    const unknown = asked.flatMap(named).filter((name) => !namesOf(text).includes(name))
    expect(unknown).toEqual([])
    const shown = new Set(panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => named(expr))))
    expect(namesOf(text).filter((name) => !shown.has(name))).toEqual([])
  })
})
