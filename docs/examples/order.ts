// Orders what a clink asks for, tells its sender, and answers when it is on its way.
//
// routes:
//   - name: order
//     match: { group: ops, content: { regex: '^order (?<part>\w+)$' } }
//     use: ./order.ts
//     with: { shop: 'http://127.0.0.1:8080', wait: 600000 }
import { defineHandler } from 'clink-worker'

export default defineHandler(async (_, ctx) => {
  const shop = String(ctx.with['shop'])

  // Once for this clink, whatever goes wrong later. The key is for the moment between the answer of the shop and its place in the journal.
  const order = await ctx.step('order', async () => {
    const response = await fetch(`${shop}/orders`, {
      method: 'POST',
      headers: { 'idempotency-key': ctx.idempotencyKey },
      body: JSON.stringify({ part: ctx.match.groups['part'] }),
      signal: ctx.signal,
    })
    if (!response.ok) throw new Error(`the shop answers ${response.status}`)
    return await response.text()
  })

  await ctx.step('tell', async () => {
    await ctx.reply(`ordered, its number is ${order}`)
  })

  for (let look = 1; look <= 100; look += 1) {
    const state = await ctx.step(`look ${look}`, async () => {
      const response = await fetch(`${shop}/orders/${order}`, { signal: ctx.signal })
      if (!response.ok) throw new Error(`the shop answers ${response.status}`)
      return await response.text()
    })
    if (state === 'sent') return `order ${order} is on its way`
    // The run ends here, and its slot is free; then the handler starts again from its top.
    await ctx.sleep(`wait ${look}`, Number(ctx.with['wait'] ?? 600_000))
  }
  return ctx.reject(`order ${order} was not sent`)
})
