import { envelopeOf, noServices } from '../support/task-services.ts'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { HandlerAborted } from '../../src/handlers/handler.ts'
import type { ProgramTarget } from '../../src/handlers/route.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { ProcessGroup } from '../../src/runners/process-group.ts'
import type { Running, Task } from '../../src/runners/runner.ts'
import { isAlive } from '../support/command.ts'
import { clink } from '../support/handler-files.ts'
import { execRunner, js, program, sh } from '../support/programs.ts'
import { Bench } from '../support/harness.ts'
import { TempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const runner = execRunner()
afterAll(async () => await runner.stop())

interface Started {
  readonly running: Running
  readonly abort: AbortController
  readonly draining: AbortController
  readonly logged: string[]
  readonly asked: unknown[]
}

function start(target: ProgramTarget, change: Partial<Task['envelope']> = {}, exec = runner): Started {
  const [abort, draining] = [new AbortController(), new AbortController()]
  const logged: string[] = []
  const asked: unknown[] = []
  const running = exec.start({
    target,
    envelope: envelopeOf({
      attempt: 2,
      deadline: Date.UTC(2026, 0, 5),
      match: { route: 'ops', text: 'hello', groups: {} },
      ...change,
    }),
    env: {},
    services: {
      ...noServices,
      log: (level, message, fields) => {
        logged.push(String(message))
        asked.push(['log', level, message, fields])
      },
      reply: async (text, to) => {
        asked.push(['reply', text, to])
        return await Promise.resolve('msg_2')
      },
      keepalive: () => asked.push(['keepalive']),
      mask: (value) => asked.push(['mask', value]),
    },
    signals: { abort: abort.signal, draining: draining.signal },
  })
  return { running, abort, draining, logged, asked }
}

const outcomeOf = async (target: ProgramTarget): Promise<Outcome> => await start(target).running.ended

/** What was expected, what came, and what to do; nothing of what came. */
const wrote = (what: string): object => ({
  error: {
    message: expect.stringMatching(
      new RegExp(
        String.raw`^with exec\.output: json a program writes one JSON object to standard output, as \{[^}]+\}; this one wrote ${what}: write that and nothing else there, .*; or set exec\.output: text(?!.*gate)`,
      ),
    ),
  },
})

describe.concurrent('§4: how a program ends', () => {
  it.each([
    ['exit 75', { outcome: 'retry' }],
    ['echo later >&2; exit 75', { outcome: 'retry', reason: 'later' }],
    ['exit 65', { outcome: 'reject', reason: 'rejected by the program' }],
    ['exit 69', { outcome: 'release' }],
    ['exit 3', { outcome: 'failed', error: { message: expect.stringContaining('exit code 3'), code: 'EXIT_3' } }],
    ['printf "first\\nlast" >&2; exit 1', { outcome: 'failed', error: { message: 'last', code: 'EXIT_1' } }],
    ['echo bad >&2; kill -SEGV $$', { outcome: 'failed', error: { message: expect.stringContaining('SIGSEGV: bad') } }],
  ])('%s', async (script, outcome) => {
    expect(await outcomeOf(sh(script))).toMatchObject(outcome)
  })

  it.each([
    ['{}', { outcome: 'done' }],
    ['{"response":"text"}', { outcome: 'done', response: 'text' }],
    ['{"response":{"a":[1]}}', { outcome: 'done', response: '{"a":[1]}' }],
    ['{"outcome":"retry"}', { outcome: 'retry' }],
    ['{"outcome":"retry","after":1500}', { outcome: 'retry', after: 1_500 }],
    ['{"outcome":"release","reason":"x"}', { outcome: 'release', reason: 'x' }],
    ['{"outcome":"reject","reason":"x"}', { outcome: 'reject', reason: 'x' }],
    ['{"outcome":"failed","reason":"x"}', { outcome: 'failed', error: { message: 'x' } }],
    [
      '{"outcome":"retry","after":"5 secs"}',
      { error: { message: expect.stringContaining('after: is not a duration') } },
    ],
    ['{"outcme":"retry"}', { error: { message: expect.stringContaining('outcme') } }],
    [
      '{"outcome":"done","outcome":"retry"}',
      { outcome: 'failed', error: { message: expect.stringMatching(/with a field twice: .*: "outcome"$/) } },
    ],
    ['the gate code', wrote('13 bytes that are not JSON')],
    ['"the gate code"', wrote('a string in JSON, of 15 bytes')],
    ['["gate",1]', wrote('a list in JSON, of 10 bytes')],
    ['null', wrote('null in JSON, of 4 bytes')],
    ['', wrote('nothing')],
  ])('with output: json and %s', async (said, outcome) => {
    expect(await outcomeOf(sh('printf %s "$SAID"', { output: 'json', env: { SAID: said } }))).toMatchObject(outcome)
  })

  it.each([
    ['text', 'printf "a\\nb\\n\\n"', { outcome: 'done', response: 'a\nb\n' }],
    ['text', 'printf "a\\r\\n"', { outcome: 'done', response: 'a' }],
    ['text', 'echo', { outcome: 'done' }],
    ['none', 'echo no matter', { outcome: 'done' }],
  ] as const)('with output: %s and %s', async (output, script, outcome) => {
    expect(await outcomeOf(sh(script, { output }))).toEqual(outcome)
  })

  it('with more than maxOutput: the beginning is kept, within it, at a character, and it says how much there was', async () => {
    const target = sh(`i=0; while [ $i -lt 1000 ]; do printf äöü; i=$((i+1)); done`, { maxOutput: 1_024 })
    const outcome = await outcomeOf(target)
    const response = 'response' in outcome ? outcome.response : ''
    expect(response).toMatch(/^[äöü]{490,} \[…, cut: 6000 bytes in all\]$/)
    expect(Buffer.byteLength(response)).toBeLessThanOrEqual(1_024)
    expect(await outcomeOf({ ...target, output: 'json' })).toMatchObject({
      error: { message: expect.stringContaining('6000 bytes, more than exec.maxOutput') },
    })
  })

  it('without reading what it is given, be that more than a pipe holds: that is no failure', async () => {
    const big = { clink: clink({ content: 'x'.repeat(200_000) }) }
    expect(await start(sh('exec <&-; echo done'), big).running.ended).toEqual({ outcome: 'done', response: 'done' })
  })

  it('with 100 MB on either output: they are read, and not kept; of a flood of lines some are logged, the last is the reason', async () => {
    const before = process.memoryUsage().rss
    const flood = 'yes "one of very many lines that nobody will read to their end" | head -c 100000000'
    const [out, err] = [start(sh(flood)), start(sh(`(${flood}; echo; echo the end) >&2; exit 1`))]
    const outcome = await out.running.ended
    expect('response' in outcome ? outcome.response?.slice(-40) : '').toContain('cut: 100000000 bytes in all')
    expect(await err.running.ended).toMatchObject({ outcome: 'failed', error: { message: 'the end' } })
    expect(err.logged.length).toBeLessThan(20_000)
    expect(err.logged.join('\n')).toMatch(/\[\d+ lines left out: more than 100 a second\]/)
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  })

  it('a line without an end is cut where it is logged', async () => {
    const { logged, running } = start(sh(`head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1`))
    const outcome = await running.ended
    expect(logged).toEqual([expect.stringMatching(/^x+ \[…, cut: 1000000 characters in all\]$/)])
    expect(logged[0]?.length).toBe(16_384)
    expect(outcome).toMatchObject({ error: { message: logged[0] } })
  })
})

describe.concurrent('§4: what a program is told', () => {
  it('its environment is the worker’s without what is the worker’s own, with what the route adds, and its task', async () => {
    process.env['NOTIFY_SOCKET'] = '/run/notify'
    process.env['CLINK_API_KEY'] = 'sk_live_u_never'
    process.env['OTHER'] = 'stays'
    const outcome = await outcomeOf(
      js('process.stdout.write(JSON.stringify(process.env))', { env: { MODEL: 'small' } }),
    )
    for (const name of ['NOTIFY_SOCKET', 'CLINK_API_KEY', 'OTHER']) Reflect.deleteProperty(process.env, name)
    const env = JSON.parse('response' in outcome ? (outcome.response ?? '') : '')
    expect(env).toMatchObject({
      PATH: process.env['PATH'],
      OTHER: 'stays',
      MODEL: 'small',
      CLINK_TASK_ID: 'msg_1',
      CLINK_TASK_GROUP: 'ops',
      CLINK_TASK_SENDER: 'usr_1',
      CLINK_TASK_ATTEMPT: '2',
      CLINK_TASK_DEADLINE: '2026-01-05T00:00:00.000Z',
      CLINK_TASK_SOCKET: expect.stringMatching(/task\.sock$/),
      CLINK_TASK_TOKEN: expect.stringMatching(/^[0-9a-f]{32}$/),
      CLINK_TASK_RUN: expect.any(String),
    })
    expect(Object.keys(env)).not.toContain('NOTIFY_SOCKET')
    expect(Object.keys(env)).not.toContain('CLINK_API_KEY')
  })

  it('no shell reads its command, and what a sender writes into a record cannot keep it from starting', async () => {
    const target = program(['printf', '%s|', '$HOME', '; ls', '`id`'])
    const hostile = clink({ sender_id: `\0${'y'.repeat(300_000)}`, group_slug: 'a\0b' })
    expect(await start(target, { clink: hostile }).running.ended).toMatchObject({ response: '$HOME|; ls|`id`|' })
  })

  it('it runs where the route says', async () => {
    using directory = new TempDir()
    await writeFile(join(directory.path, 'a.txt'), 'here')
    expect(await outcomeOf(sh('cat a.txt', { cwd: directory.path }))).toMatchObject({ response: 'here' })
  })
})

describe.concurrent('§4: what cannot be started is no fault of the clink', () => {
  it.each([
    [['/nowhere/program'], '/nowhere/program is not there'],
    [['no-such-program'], 'no-such-program is not on PATH'],
    [['/etc'], '/etc is not a file'],
    [['sh', 'a\0b'], expect.stringContaining('null bytes')],
  ])('%j', async (command, reason) => {
    expect(await outcomeOf(program(command))).toMatchObject({ outcome: 'unavailable', reason })
  })

  it('in a directory that is not there', async () => {
    const reason = 'sh cannot be started: its directory /nowhere is not there'
    expect(await outcomeOf(sh(':', { cwd: '/nowhere' }))).toMatchObject({ outcome: 'unavailable', reason })
  })

  it('a file that nobody may execute', async () => {
    using directory = new TempDir()
    const file = join(directory.path, 'x.sh')
    await writeFile(file, '#!/bin/sh\n', { mode: 0o644 })
    const reason = `${file} may not be executed by this user: chmod +x it, or name its interpreter first`
    expect(await outcomeOf(program([file]))).toMatchObject({ outcome: 'unavailable', reason })
  })

  it('a script whose interpreter is missing', async () => {
    using directory = new TempDir()
    const file = join(directory.path, 'x.sh')
    await writeFile(file, '#!/nowhere/python\n', { mode: 0o755 })
    expect(await outcomeOf(program([file]))).toMatchObject({ reason: expect.stringContaining('interpreter') })
  })
})

describe('P3, §4: no child is left', () => {
  beforeEach((context) =>
    context.skip(!existsSync('/proc/self/stat'), 'no /proc here: what has left a group is not found'),
  )

  /** Starts what has to be ended, in the group and out of it, and notes their numbers. */
  const LEAVES = `
    sleep 1000 & echo $! >> pids
    setsid sh -c 'echo $$ >> pids; exec sleep 1000' &
    (setsid sh -c 'trap "" TERM HUP; echo $$ >> pids; while :; do sleep 1; done' &)
    while [ "$(wc -l < pids)" -lt 3 ]; do sleep 0.05; done
  `
  const pidsOf = (directory: string): number[] =>
    existsSync(join(directory, 'pids'))
      ? readFileSync(join(directory, 'pids'), 'utf8').trim().split('\n').map(Number)
      : []

  it.each([
    ['exit 0', { outcome: 'done' }],
    ['exit 1', { outcome: 'failed' }],
    ['kill -KILL $$', { outcome: 'failed', error: { code: 'SIGKILL' } }],
  ])('after %s, whatever it has started, and wherever that went', async (ending, outcome) => {
    using directory = new TempDir()
    await writeFile(join(directory.path, 'pids'), '')
    const ended = await outcomeOf(sh(`${LEAVES} exec >&- 2>&-; ${ending}`, { cwd: directory.path }))
    const pids = pidsOf(directory.path)
    expect(ended).toMatchObject(outcome)
    expect(pids).toHaveLength(3)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it.each([
    ['sh', 'with its mark'],
    ['env -i /bin/sh', 'that has cleared its environment'],
  ])('after an abort: all of its group hears of it and has time, until it is killed (%s: one %s)', async (shell) => {
    using directory = new TempDir()
    const child = `trap 'sleep 0.3; echo "tidied up" > tidy; exit' TERM; echo up >&2; while :; do sleep 0.05; done`
    const { abort, logged, running } = start(
      sh(`${shell} -c '${child.replaceAll("'", `'\\''`)}' & wait`, { cwd: directory.path }),
    )
    await until(() => logged.includes('up'), 'it is up')
    abort.abort(new HandlerAborted('timeout', 'by the test'))
    expect(await running.ended).toMatchObject({ outcome: 'failed', error: { message: 'timeout' } })
    expect(readFileSync(join(directory.path, 'tidy'), 'utf8')).toBe('tidied up\n')
  })

  it('after it was killed', async () => {
    using directory = new TempDir()
    await writeFile(join(directory.path, 'pids'), '')
    const { abort, running } = start(sh(`trap '' TERM; ${LEAVES} sleep 1000`, { cwd: directory.path }))
    await until(() => pidsOf(directory.path).length === 3, 'all of them run')
    const pids = pidsOf(directory.path)
    abort.abort(new HandlerAborted('cancelled', 'by the test'))
    const first = await Promise.race([running.ended, outcomeOf(sh('sleep 0.5; echo first'))])
    running.kill?.()
    expect(first).toMatchObject({ response: 'first' })
    expect(await running.ended).toMatchObject({ outcome: 'failed', error: { message: 'cancelled' } })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('after it was killed: one that has cleared its environment and stayed in the group, too', async () => {
    const { abort, logged, running } = start(
      sh(`(exec env -i /bin/sh -c 'trap "" TERM; echo $$ >&2; while :; do sleep 0.2; done') & wait`),
    )
    await until(() => logged.length === 1, 'it runs')
    abort.abort(new HandlerAborted('cancelled', 'by the test'))
    running.kill?.()
    await running.ended
    expect(isAlive(Number(logged[0]))).toBe(false)
  })

  it('at a stop: a clink is given back when nothing of its program runs any more', async () => {
    using directory = new TempDir()
    await writeFile(join(directory.path, 'pids'), '')
    await using bench = await Bench.open()
    const id = bench.send('work')
    const alive: number[][] = []
    const station = bench.work(() => {}, {
      runner: execRunner(),
      target: sh(`trap '' TERM; ${LEAVES} sleep 1000`, { cwd: directory.path }),
      settings: { shutdown: { drain: 100, timeout: 6_000 } },
      wrap: (inner) => ({
        send: async (request) => {
          if (request.path.endsWith('/release')) alive.push(pidsOf(directory.path).filter(isAlive))
          return await inner.send(request)
        },
      }),
    })
    await until(() => pidsOf(directory.path).length === 3, 'all of them run')
    await station.daemon.stop('the test says so')
    expect(bench.status(id)).toBe('pending')
    expect(alive).toEqual([[]])
  })

  it('one that hides from this by an empty environment does not hold up the end', async () => {
    const { running, logged } = start(
      sh(`(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >&2; exec sleep 1000' &); sleep 0.5; echo done`),
    )
    expect(await running.ended).toEqual({ outcome: 'done', response: 'done' })
    process.kill(Number(logged[0]), 'SIGKILL')
  })

  it('it is noted by its mark before it runs, by its number before it is given its clink, and forgotten when it is gone', async () => {
    const noted: string[] = []
    const numbered = Promise.withResolvers<void>()
    const say = (what: string, { id, run }: ProcessGroup): number => noted.push(`${what} ${id > 0} ${run.length > 0}`)
    const exec = execRunner({
      note: async (_, group) => {
        say('note', group)
        if (group.id > 0) await numbered.promise
      },
      gone: async (_, group) => {
        say('gone', group)
        await Promise.resolve()
      },
    })
    const { running, logged } = start(sh('echo begun >&2; read -r line; echo read'), {}, exec)
    await until(() => logged.includes('begun'), 'it has begun')
    const first = await Promise.race([running.ended, outcomeOf(sh('sleep 0.3; echo first'))])
    numbered.resolve()
    expect(first).toMatchObject({ response: 'first' })
    expect(await running.ended).toMatchObject({ response: 'read' })
    await until(() => noted.length === 3, 'it is forgotten')
    expect(noted).toEqual(['note false true', 'note true true', 'gone false true'])
    await exec.stop()
  })
})

describe.concurrent('§4: what a program asks for', () => {
  it('is done by clink-worker task', async () => {
    const script = `
      $TASK reply "half done" --to group --id && printf 'from stdin' | $TASK reply - && $TASK log --level warn "at it" step=1 &&
      $TASK keepalive && $TASK mask very-secret && { $TASK draining; echo "draining: $?"; }`
    const { asked, running } = start(sh(script))
    expect(await running.ended).toMatchObject({ response: 'msg_2\ndraining: 1' })
    expect(asked).toEqual([
      ['reply', 'half done', 'group'],
      ['reply', 'from stdin', 'sender'],
      ['log', 'warn', 'at it', { step: '1' }],
      ['keepalive'],
      ['mask', 'very-secret'],
    ])
  })

  it.each([
    ['$TASK', 0, 'Usage: clink-worker task'],
    ['$TASK pause', 64, 'there is no request "pause", only reply, step, sleep, log, keepalive, mask, draining'],
    ['$TASK reply', 64, 'say what'],
    ['$TASK reply a --form group', 64, "Unknown option '--form'"],
    ['$TASK reply a --to nobody', 1, 'reply.to: '],
    ['$TASK reply half done', 64, 'more words than it takes: put a text of several words in quotes'],
    ['$TASK keepalive now', 64, 'more words than it takes'],
    ['$TASK reply a --to group --to sender', 64, '--to is given twice'],
    ['$TASK log a b=1 b=2', 64, 'b is given twice'],
    ['$TASK log a b', 64, '"b": write it as key=value'],
    ['CLINK_TASK_TOKEN=00 $TASK keepalive', 1, 'no run of this worker has this token'],
    ['CLINK_TASK_SOCKET=/nowhere $TASK keepalive', 69, 'no worker answers at /nowhere'],
    ['env -u CLINK_TASK_TOKEN $TASK keepalive', 64, 'this is for programs that a worker runs'],
  ])('%s: exit code %i', async (command, code, said) => {
    const outcome = await outcomeOf(sh(`${command} 2>&1; echo "exit $?"`))
    const response = 'response' in outcome ? (outcome.response ?? '') : JSON.stringify(outcome)
    expect(response).toContain(said)
    expect(response).toMatch(new RegExp(`exit ${code}$`))
  })

  it('is refused when its run is over, in clear words; only its user may open the socket, which serves nothing else', async () => {
    const said = js(`
      const { CLINK_TASK_SOCKET, CLINK_TASK_TOKEN } = process.env
      const other = await ask({ request: 'failed.retry', id: 'msg_1' })
      process.stdout.write(JSON.stringify({ path: CLINK_TASK_SOCKET, token: CLINK_TASK_TOKEN, other }))`)
    const first = await outcomeOf(said)
    const { other, path, token } = JSON.parse('response' in first ? (first.response ?? '') : '')
    const second = await outcomeOf(sh(`CLINK_TASK_TOKEN=${token} $TASK reply "too late" 2>&1; echo "exit $?"`))
    expect(second).toMatchObject({ response: expect.stringContaining('the run of this token is over') })
    expect(other).toEqual({ error: expect.stringContaining('there is no request "failed.retry"'), code: 'USAGE' })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})
