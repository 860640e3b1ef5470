import { describe, expect, it } from 'vitest'
import { issuesOf, linesOf, loadText } from '../support/config-files.ts'

const env = { N: '7', NAME: 'blue', EMPTY: '', TRICK: 'x, level: trace', LIST: '[a]' }

describe('values from the environment', () => {
  it.each([
    ['concurrency: ${N}', { concurrency: 7 }],
    ['concurrency: ${NO_SUCH:-12}', { concurrency: 12 }],
    ['concurrency: ${EMPTY:-12}', { concurrency: 12 }],
    ['concurrency: 1${N}', { concurrency: 17 }],
    ['handlers:\n  watch: ${NO_SUCH:-true}', { handlers: { watch: true } }],
    ['clink: { session: "${N}" }', { clink: { session: '7' } }],
    ['clink:\n  session: a-${NAME}-${N}', { clink: { session: 'a-blue-7' } }],
    ['clink: { session: a$$b$c }', { clink: { session: 'a$b$c' } }],
    ['clink:\n  session: $${NAME}', { clink: { session: '${NAME}' } }],
    ['clink: { session: "${NO_SUCH:-}x" }', { clink: { session: 'x' } }],
    ['inbox:\n  maxAge: ${NO_SUCH:-null}', { inbox: { maxAge: null } }],
    ['replies:\n  mark: ${TRICK}', { replies: { mark: 'x, level: trace' } }],
    ['replies:\n  mark: ${LIST}', { replies: { mark: '[a]' } }],
  ])('%j', async (text, config) => {
    expect((await loadText(text, { env })).config).toMatchObject(config)
  })

  it('are not put into keys', async () => {
    expect((await issuesOf(loadText('${NAME}: 1', { env }))).map(({ key }) => key)).toEqual(['${NAME}'])
  })

  it('that are missing are named with their line and column', async () => {
    const text = 'poll:\n  interval: ${FAST}\nclink:\n  url: https://${HOST}/${PREFIX}'
    expect(await linesOf(loadText(text, { env }))).toEqual([
      'clink-worker.yaml:2:13: poll.interval: "${FAST}" needs the environment variable FAST, which is not set',
      'clink-worker.yaml:4:8: clink.url: "https://${HOST}/${PREFIX}" needs the environment variable HOST, which is not set; ' +
        'needs the environment variable PREFIX, which is not set',
    ])
  })

  it.each(['${not-a-name}', '${}', '${OPEN'])('%s is no reference', async (text) => {
    const message = expect.stringContaining('is not a reference to a variable')
    expect(await issuesOf(loadText(`clink: { session: '${text}' }`, { env }))).toEqual([
      expect.objectContaining({ key: 'clink.session', message }),
    ])
  })

  it('must be quoted inside braces, as the error says', async () => {
    const message = expect.stringContaining('inside { } a reference must be quoted')
    const behind = 'concurrency: 3\nretry:\n  attempts: 2\n'
    expect(await issuesOf(loadText(`poll: { interval: \${N} }\n${behind}`, { env }))).toEqual([
      expect.objectContaining({ line: 1, message }),
    ])
  })

  it('may be missing for the key alone, which has other ways', async () => {
    expect((await loadText('clink:\n  key: ${CLINK_API_KEY}')).config.clink.key).toBeNull()
    expect((await issuesOf(loadText('clink:\n  key: ${OTHER_KEY}'))).map(({ key }) => key)).toEqual(['clink.key'])
  })
})
