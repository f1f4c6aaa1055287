/**
 * Settings whose value is in a file: NAME_FILE names it. Secrets are kept out of the environment in this way (systemd
 * credentials, secrets of Kubernetes and of containers). One rule for all: every secret, and the log level.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { SETTING_FILE_MAX_BYTES } from '../../domain/limits.ts'
import type { Variable } from './variable.ts'

const SUFFIX = '_FILE'

/** Whether NAME_FILE may hold the value of this variable. */
export function mayBeInFile({ secret, byFile }: Variable): boolean {
  return secret !== undefined || byFile === true
}

/** The name of the variable that names the file. */
export function fileVariable(name: string): string {
  return `${name}${SUFFIX}`
}

export interface SettingFiles {
  /** The environment with each NAME_FILE replaced by NAME and what the file holds. */
  readonly environment: Readonly<Record<string, string>>
  /** One sentence for each file that cannot be used, and for each value that is set twice. */
  readonly problems: readonly string[]
}

/** Reads the files that the environment names. `names`: of the variables whose value may be in a file. */
export function withSettingFiles(
  environment: Readonly<Record<string, string>>,
  names: readonly string[],
): SettingFiles {
  const settled: Record<string, string> = { ...environment }
  const problems: string[] = []
  for (const name of names) {
    const setting = fileVariable(name)
    const path = settled[setting]
    if (path === undefined) continue
    delete settled[setting]
    if (settled[name] !== undefined) {
      problems.push(`${name} and ${setting} are both set: keep one of them`)
      continue
    }
    try {
      settled[name] = readSetting(path, setting)
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  return { environment: settled, problems }
}

/**
 * What a file holds, without the line breaks at its end. Throws an Error whose message names the setting and the path,
 * and never what is in the file: it cannot be read, is empty, or has more than SETTING_FILE_MAX_BYTES.
 */
export function readSetting(path: string, setting: string): string {
  const text = readBounded(path, setting).replace(/[\r\n]+$/, '')
  if (text === '') throw new Error(`${setting}: ${path} is empty`)
  return text
}

/** The whole text of a file of at most SETTING_FILE_MAX_BYTES. Throws as readSetting does. */
export function readBounded(path: string, setting: string): string {
  const buffer = Buffer.alloc(SETTING_FILE_MAX_BYTES + 1)
  let length = 0
  try {
    length = readInto(path, buffer)
  } catch (error) {
    throw new Error(`${setting}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    })
  }
  if (length > SETTING_FILE_MAX_BYTES)
    throw new Error(`${setting}: ${path} has more than ${SETTING_FILE_MAX_BYTES} bytes`)
  return buffer.toString('utf8', 0, length)
}

/** A read of a special file may give less than there is. */
function readInto(path: string, buffer: Buffer): number {
  const descriptor = openSync(path, 'r')
  try {
    let length = 0
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null)
      length += read
      if (read === 0 || length === buffer.length) return length
    }
  } finally {
    closeSync(descriptor)
  }
}
