/** The least that works clinks: claims as many as are wanted at once, completes them, and begins anew. `node work-loops.ts undici|got URL N`. */
import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import got from 'got'
import { Pool } from 'undici'

const [client, url = '', wanted] = process.argv.slice(2)
const atOnce = Number(wanted)
const headers = {
  authorization: 'Bearer sk_live_u_1',
  'x-clink-session-id': `bench-${client}`,
  'content-type': 'application/json',
}
const pool = new Pool(url, { connections: 64, pipelining: 2 })
const http = new Agent({ keepAlive: true })

async function byUndici(method: 'GET' | 'POST', path: string, body: string | null): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = ''
    pool.dispatch(
      { method, path, headers, body, idempotent: false },
      {
        onRequestStart: () => {},
        onResponseStart: () => {},
        onResponseData: (_, chunk) => void (text += chunk.toString()),
        onResponseEnd: () => resolve(text),
        onResponseError: (_, error) => reject(error),
      },
    )
  })
}

async function byGot(method: 'GET' | 'POST', path: string, body: string | null): Promise<string> {
  const options = { method, headers, agent: { http }, retry: { limit: 0 }, ...(body === null ? {} : { body }) }
  return (await got(`${url}${path}`, options)).body
}

const ask = client === 'got' ? byGot : byUndici
for (;;) {
  const page = JSON.parse(await ask('GET', `/inbox?claim=true&limit=${atOnce}`, null)) as {
    data: { clinks: { clink_id: string }[] }
  }
  await Promise.all(
    page.data.clinks.map(async ({ clink_id }) => JSON.parse(await ask('POST', `/clinks/${clink_id}/complete`, '{}'))),
  )
  if (page.data.clinks.length === 0) await setTimeout(20)
}
