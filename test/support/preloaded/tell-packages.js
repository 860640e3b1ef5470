// Says which packages the process loads.
import { registerHooks } from 'node:module'

// Also of a specifier that names one of its files.
const PACKAGE = /^(?:@[^/:]+\/)?[^@./#:][^/:]*(?=\/|$)/
registerHooks({
  resolve(specifier, context, next) {
    const [name] = PACKAGE.exec(specifier) ?? []
    if (name !== undefined) process.stderr.write(`package ${name}\n`)
    return next(specifier, context)
  },
})
