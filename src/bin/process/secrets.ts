/**
 * Secrets that a process uses again and again, from the files that hold them: SIGHUP reads these anew, and what is
 * opened from then on uses the new ones. What is open stays open. A secret that is set in the environment stays as it
 * was.
 */
import { parseConfig, type Config, type Environment } from '../../runtime/config/config.ts'
import type { Reload } from '../../runtime/process/reload.ts'
import { fileVariable, readSetting } from '../../runtime/config/setting-files.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import { databasePlace } from './database-place.ts'

/** The values of this moment; absent where there is none. */
export interface Secrets {
  readonly databaseUrl: () => string | undefined
  readonly keystonePassword: () => string | undefined
  readonly amqpUrls: () => readonly string[] | undefined
}

interface Followed<Value> {
  readonly initial: Value | undefined
  /** From what the file holds. Throws for what cannot be used. */
  readonly parse: (text: string, current: Value | undefined) => Value
}

export function followedSecrets(config: Config, environment: Environment, reload: Reload): Secrets {
  const follow = <Value>(name: string, { initial, parse }: Followed<Value>): (() => Value | undefined) => {
    const setting = fileVariable(name)
    const file = environment[setting]
    let current = initial
    if (file !== undefined && file !== '' && initial !== undefined) {
      reload.add(name, () => {
        const next = parse(readSetting(file, setting), current)
        const isChanged = JSON.stringify(next) !== JSON.stringify(current)
        current = next
        return { changed: isChanged }
      })
    }
    return () => current
  }
  return {
    databaseUrl: follow('DATABASE_URL', { initial: config.databaseUrl, parse: sameDatabase }),
    keystonePassword: follow('HM_KEYSTONE_PASSWORD', {
      initial: config.keystone?.password,
      parse: (text) => text,
    }),
    amqpUrls: follow('HM_AMQP_URL', {
      initial: config.amqp?.urls,
      parse: (text) => parseConfig({ HM_AMQP_URL: text }).amqp?.urls ?? [],
    }),
  }
}

/** What may be probed and called depends on where PostgreSQL is, and is decided once, at the start. */
function sameDatabase(text: string, current: string | undefined): string {
  const next = parseConfig({ DATABASE_URL: text }).databaseUrl ?? ''
  if (current !== undefined && databasePlace(next) !== databasePlace(current)) {
    throw new StartRefusal(
      'DATABASE_URL: only user, password and parameters may change while the process runs; another host, port or database needs a restart',
    )
  }
  return next
}
