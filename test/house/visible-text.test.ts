import { expect, it } from 'vitest'
import { isRecord } from '../../src/base/record.ts'
import { printable } from '../../src/observe/printable.ts'

it('the dashboard makes the same characters visible as a terminal, but for ends of lines and tabs', async () => {
  const file = new URL('../../src/dashboard/visible.js', import.meta.url).href
  const module: unknown = await import(file)
  const visible = isRecord(module) ? module['visible'] : undefined
  if (typeof visible !== 'function') throw new Error(`${file} has no visible()`)
  const differing: number[] = []
  for (let code = 0; code <= 0xffff; code += 1) {
    const text = String.fromCodePoint(code)
    if (visible(text) !== printable(text)) differing.push(code)
  }
  expect(differing).toEqual([0x09, 0x0a])
  expect(visible('a\n\tb')).toBe('a\n\tb')
})
