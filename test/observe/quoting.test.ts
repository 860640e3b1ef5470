import { describe, expect, it } from 'vitest'
import { quotes } from '../../src/observe/quoting.ts'

function parseError(content: string): string {
  try {
    JSON.parse(content)
  } catch (error) {
    return String(error)
  }
  throw new Error(`${content} is JSON`)
}

describe('a text shows what a clink says', () => {
  it.each(['hello', 'hi there', 'my password is hunter2', 'x', '{"a": secret}', 'grüß Gott aus Köln', '<html>'])(
    'as JSON.parse does: %s',
    (content) => {
      // One sign alone tells nothing.
      expect(quotes(parseError(content), content)).toBe(content.length > 2)
    },
  )

  it.each([
    ['no such user: Alice Miller', 'please delete Alice  Miller'],
    ['refused: hunter2', 'my password is hunter2, thanks'],
    ['order 4711 is closed', 'what of 4711?'],
    ["unknown command 'frob'", 'frob all'],
    ['unknown command “frob”', 'frob all'],
    ['PLEASE DELETE EVERYTHING', 'please delete everything'],
    ['not a name: Zoë Grün', '{"name": "Zo\\u00eb Gr\\u00fcn", "age": 3}'],
    ['line two says so', 'line one\nline two\nsays so'],
  ])('%s', (text, content) => {
    expect(quotes(text, content)).toBe(true)
  })
})

describe('a text shows nothing of it', () => {
  it.each([
    ['connect ECONNREFUSED 127.0.0.1:5432', 'deploy staging'],
    ['the database is down', 'deploy to the staging area'],
    ['deploy failed: exit 1', 'deploy staging'],
    ["Cannot read properties of undefined (reading 'id')", 'who is the owner?'],
    ['timeout: the handler ran longer than 15m', 'run 15 jobs'],
    ['HTTP 503', 'what is 5 + 3?'],
    ['anything', ''],
    ['', 'anything'],
  ])('%s', (text, content) => {
    expect(quotes(text, content)).toBe(false)
  })
})
