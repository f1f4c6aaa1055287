#!/usr/bin/env node
/** The program: its command line, and the messages for people when it cannot do its work. */
import { StartRefusal } from '../runtime/start-refusal.ts'
import { SchemaTooNewError } from '../store/connection/schema-too-new.ts'
import { dispatch } from './dispatch.ts'

try {
  const code = await dispatch(process.argv.slice(2), process.env, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  })
  if (code !== undefined) process.exitCode = code
} catch (error) {
  if (!(error instanceof StartRefusal) && !(error instanceof SchemaTooNewError)) throw error
  process.stderr.write(`healthmonitor: ${error.message}\n`)
  process.exit(1)
}
