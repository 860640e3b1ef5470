// Says which packages the process loads.
import { registerHooks } from 'node:module'

const PACKAGE = /^(?:@[^/]+\/)?[^./#][^/]*$/
registerHooks({
  resolve(specifier, context, next) {
    if (PACKAGE.test(specifier) && !specifier.includes(':')) process.stderr.write(`package ${specifier}\n`)
    return next(specifier, context)
  },
})
