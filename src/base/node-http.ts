/**
 * An `import` of them would evaluate all that they export, `WebSocket` among it, and that loads another undici: 60 ms and 3 MB for
 * each process and each thread.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
