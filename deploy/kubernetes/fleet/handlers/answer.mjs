import { defineHandler } from 'clink-worker'

// Replace this with what your clinks are to be worked by.
export default defineHandler(async (clink) => `Got it: ${clink.content}`)
