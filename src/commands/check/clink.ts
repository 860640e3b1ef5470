import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CodedError } from '../../base/coded-error.ts'
import { ClinkClient } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { orError } from '../../clink/refusals.ts'
import { refusesNumber } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import { forMe } from '../../config/for-me.ts'
import type { HandlerSet } from '../../handlers/handler-set.ts'
import { Sweep } from '../../worker/claiming/sweep.ts'
import { clinkOf } from '../invoke/clink.ts'
import { readKey, wellFormed } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { ClinkJudge } from '../terminal/judge-clinks.ts'
import { ok, warning, type Finding } from './finding.ts'

/** Which route takes a clink and why, or why it is left alone. @param given a file, `-`, or the id of a clink that waits in the inbox. */
export async function checkClink(given: string, config: Config, handlers: HandlerSet, io: Io): Promise<Finding> {
  const isFile = given === '-' || (await exists(resolve(io.cwd, given)))
  const client = isFile ? undefined : await clientOf(config, io)
  const read = client === undefined ? await clinkOf({ clink: given }, io) : await listed(given, client, config)
  const judge = new ClinkJudge({ config, handlers, client }, io)
  const [clink = read] = await judge.begin([read])
  const { route, why } = await judge.judge(clink)
  const passed = why === NO_ROUTE || route !== null ? await judge.passed(clink) : []
  if (route === null) return warning('clink', [`${given}: left alone: ${why}`, ...passed].join('\n'))
  return ok('clink', [`${given}: the route ${route} takes it: ${why}`, ...passed].join('\n'))
}

async function clientOf(config: Config, io: Io): Promise<ClinkClient> {
  const key = wellFormed(await readKey(config, io))
  const { proxy, timeout, url } = config.clink
  return new ClinkClient({ key, url, timeout, proxy: proxy ?? null })
}

/** Looks through all that waits, page by page, as far as the service shows it. */
async function listed(id: string, client: ClinkClient, config: Config): Promise<Clink> {
  const sweep = new Sweep(0)
  let seen = 0
  while (!sweep.isOver) {
    const page = await orError(client.checkInbox({ ...sweep.params, for_me: forMe(config) }))
    if (page instanceof ClinkApiError) {
      if (!sweep.isEnlarged || !refusesNumber(page)) throw page
      sweep.refused()
      continue
    }
    const found = page.clinks.find(({ clink_id }) => clink_id === id)
    if (found !== undefined) return found
    const unreadable = page.malformed.find((one) => one.id === id)
    if (unreadable !== undefined) throw new CodedError('FILE_INVALID', `${id}: ${unreadable.problem}`)
    seen += page.clinks.filter(({ clink_id }) => !sweep.has(clink_id)).length
    sweep.note(page)
  }
  const where = sweep.isStarved ? `the ${seen} clinks of the inbox that the service shows` : 'the inbox'
  throw new CodedError('FILE_INVALID', `${id}: there is no such file, and no such clink is pending in ${where}`)
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

const NO_ROUTE = 'no route'
