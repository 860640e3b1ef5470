import { expect, it } from 'vitest'
import { parsedOnce, repeatedKey } from '../../src/base/repeated-key.ts'

it.each([
  ['{"a":1,"a":2}', 'a'],
  [' \n{"a":{"b":1,"c":[{},"x,y"]},"b":"a","\\u0061":2}', 'a'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"a\\"b":"{","a\\"b":1}', 'a"b'],
  ['{"a":1,"b":{"a":1,"a":2},"c":["a","a"]}', undefined],
  ['{"a":"a","b":"\\\\","c":"\\",\\"a\\":"}', undefined],
  ['{"a":{},"b":[],"A":1}', undefined],
  ['[{"a":1,"a":2}]', undefined],
  ['"a"', undefined],
  ['{}', undefined],
])('of %s it names the key that the object has twice: %s', (text, key) => {
  expect(repeatedKey(text)).toBe(key)
  if (key === undefined) expect(parsedOnce(text)).toEqual(JSON.parse(text))
  else expect(() => parsedOnce(text)).toThrow(`${JSON.stringify(key)} is given twice`)
})
