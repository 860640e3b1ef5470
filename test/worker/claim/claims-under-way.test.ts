import { expect, it } from 'vitest'
import { collect } from '../../support/collect.ts'
import { ClaimsUnderWay } from '../../../src/worker/claim/claims-under-way.ts'

const request = () => Promise.withResolvers<void>()
const isOver = async (wait: Promise<void>): Promise<boolean> =>
  await Promise.race([wait.then(() => true), new Promise<boolean>((done) => setImmediate(done, false))])

it('a release waits for all that claims its clink, be it of an earlier claim, and for nothing else (P8)', async () => {
  const claims = new ClaimsUnderWay()
  const [first, second, third, other] = [request(), request(), request(), request()]
  claims.note('a', first.promise)
  claims.note('a', second.promise)
  claims.note('b', other.promise)
  const wait = claims.over('a')
  claims.note('a', third.promise)
  first.resolve()
  expect([await isOver(wait), await isOver(claims.over('c'))]).toEqual([false, true])
  second.resolve()
  expect([await isOver(wait), await isOver(claims.over('a'))]).toEqual([true, false])
  third.resolve()
  await third.promise
  expect([await isOver(claims.over('a')), await isOver(claims.over('b'))]).toEqual([true, false])
})

it('of a request that is over nothing is kept', async () => {
  const claims = new ClaimsUnderWay()
  const noted = async (): Promise<WeakRef<Promise<void>>> => {
    const { promise, resolve } = request()
    claims.note('a', promise)
    resolve()
    await promise
    return new WeakRef(promise)
  }
  const over = await noted()
  await new Promise((resolve) => setTimeout(resolve))
  collect()
  expect(over.deref()).toBeUndefined()
  await claims.over('a')
})
