import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The command as it is shipped; `build.ts` sees to it that it is what the sources say. */
export const built = join(root, 'dist/cli.js')

/** The command as its sources: for what puts something else in place of a part of them. */
export const unbuilt = join(root, 'src/cli.ts')
