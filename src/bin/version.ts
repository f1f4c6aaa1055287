/** The version of this program, from package.json. */
import { readFileSync } from 'node:fs'

const parsed = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

export const version = parsed.version
