import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects what nobody needs any more, at once. */
export const collect = runInNewContext('gc') as () => void
