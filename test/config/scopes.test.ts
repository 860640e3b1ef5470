import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith, linesOf, loadText } from '../support/config-files.ts'
import { load, problemsOf } from '../support/handler-files.ts'

const route = (limits: string, state = ''): string => `${state}routes:\n  - { name: a, use: a.ts, ${limits} }\n`
const shared = 'state: { url: "postgresql://db/clink" }\n'
const limitsOf = async (limits: string, state = ''): Promise<unknown> => {
  const { rate, serial } = (await loadText(route(limits, state))).config.routes[0] ?? {}
  return { rate, serial }
}

describe('whose a limit of a route is', () => {
  it("is each worker's, as it always was, unless its scope is the fleet", async () => {
    const own = { rate: { count: 5, window: 1_000 }, serial: 'sender' }
    expect(await limitsOf('rate: 5/1s, serial: sender')).toEqual(own)
    expect(await limitsOf('rate: { limit: 5/1s }, serial: { by: sender }')).toEqual(own)
    expect(await limitsOf('rate: { limit: 5/1s, scope: worker }, serial: { by: sender, scope: worker }')).toEqual(own)
    expect(await limitsOf('rate: { limit: 5/1s, scope: fleet }, serial: { by: group, scope: fleet }', shared)).toEqual({
      rate: { count: 5, window: 1_000, scope: 'fleet' },
      serial: { by: 'group', scope: 'fleet' },
    })
  })

  it('cannot be the fleet where no store is shared: that names file, line and value (P14)', async () => {
    const lines = await linesOf(
      loadText(route('rate: { limit: 5/1s, scope: fleet }, serial: { by: sender, scope: fleet }')),
    )
    const why = '"fleet" needs state.url: workers that share no store have no limit together'
    expect(lines).toEqual([
      `clink-worker.yaml:2:55: routes[0].rate.scope: ${why}`,
      `clink-worker.yaml:2:93: routes[0].serial.scope: ${why}`,
    ])
  })

  it('may be the fleet where the address comes from a file, from the environment or from systemd', async () => {
    const text = route('serial: { by: sender, scope: fleet }')
    const cwd = await directoryWith({
      'clink-worker.yaml': text,
      'credentials/clink-state-url': 'postgresql://db/clink',
    })
    for (const env of [
      { CLINK_STATE_URL: 'postgresql://db/clink' },
      { CLINK_STATE_URL_FILE: 'credentials/clink-state-url' },
      { CREDENTIALS_DIRECTORY: `${cwd}/credentials` },
    ])
      expect((await loadConfig({ cwd, env })).config.routes[0]?.serial).toEqual({ by: 'sender', scope: 'fleet' })
  })

  it.each([
    ['rate: { limit: often }', 'routes[0].rate.limit: "often" is not a rate; write 30/10m for thirty in ten minutes'],
    [
      'rate: { limit: 5/1s, scope: flet }',
      'routes[0].rate.scope: "flet" is not one of worker, fleet; did you mean fleet?',
    ],
    ['rate: { limit: 5/1s, scop: fleet }', 'routes[0].rate.scop: unknown key; did you mean scope?'],
    ['rate: often', 'routes[0].rate: "often" is not a rate; write 30/10m for thirty in ten minutes'],
    [
      'rate: 5',
      'routes[0].rate: 5 is not a rate; write 30/10m for thirty in ten minutes, or { limit: 30/10m, scope: fleet }',
    ],
    ['serial: { by: sendr }', 'routes[0].serial.by: "sendr" is not one of group, sender; did you mean sender?'],
    ['serial: sendr', 'routes[0].serial: "sendr" is not one of group, sender; did you mean sender?'],
    ['serial: 1', 'routes[0].serial: 1 is not one of group, sender'],
  ])('%s is said to be wrong', async (limits, line) => {
    expect((await linesOf(loadText(route(limits, shared)))).map((one) => one.replace(/^\S+: /, ''))).toEqual([line])
  })
})

describe('a handler that says so itself', () => {
  const handler = (limits: string): string => `export default { ${limits}, handle() {} }`
  const told = async (limits: string, state = ''): Promise<readonly string[]> =>
    await problemsOf(
      directoryWith({ 'handlers/a.ts': handler(limits), 'clink-worker.yaml': state }).then(
        async (cwd) => await load(cwd),
      ),
    )

  it.each([
    ["serial: { by: 'sender', scope: 'flet' }", 'handlers/a.ts: serial.scope: "flet" is not one of worker, fleet'],
    ["rate: { limt: '5/1s' }", 'handlers/a.ts: rate.limt: unknown field; did you mean limit?'],
    [
      "rate: { limit: 'often' }",
      'handlers/a.ts: rate.limit: "often" is not a rate; write 30/10m for thirty in ten minutes',
    ],
  ])('%s is said to be wrong', async (limits, line) => {
    expect(await told(limits)).toContain(line)
  })

  it('cannot have a limit of the fleet where no store is shared either', async () => {
    const why = 'needs state.url: workers that share no store have no limit together'
    expect(await told("rate: { limit: '5/1s', scope: 'fleet' }, serial: { by: 'sender', scope: 'fleet' }")).toEqual([
      `handlers/a.ts: rate.scope: "fleet" ${why}`,
      `handlers/a.ts: serial.scope: "fleet" ${why}`,
    ])
    const cwd = await directoryWith({
      'handlers/a.ts': handler("serial: { by: 'sender', scope: 'fleet' }"),
      'clink-worker.yaml': shared,
    })
    expect((await load(cwd)).routes[0]?.limits).toMatchObject({ serial: 'sender', serialScope: 'fleet' })
  })
})
