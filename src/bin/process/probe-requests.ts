/** What an API process needs for requests for a probe: who waits for answers, what projects may ask for, the metric. */
import type { ApiDependencies } from '../../api/http/context.ts'
import { ProbeAllowance } from '../../api/resource/probe-allowance.ts'
import { ProbeAnswers } from '../../api/resource/probe-answers.ts'
import { ChannelListener } from '../../schedule/configuration/channel-listener.ts'
import type { Log } from '../../schedule/log.ts'
import type { Database } from '../../store/connection/database.ts'
import { listen } from '../../store/connection/listen.ts'
import { PROBE_ANSWERS_CHANNEL } from '../../store/probing/probe-request-channels.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { readProbeAnswers } from '../../store/probing/probe-requests.ts'

export interface ApiProbes {
  readonly probes: ApiDependencies['probes']
  start(): void
  /** Whoever waits gets no answer. */
  close(): Promise<void>
}

export function makeProbes(parts: {
  readonly db: Database
  readonly databaseUrl: DatabaseUrl
  readonly log: Log
  readonly ended: ApiDependencies['probes']['ended']
}): ApiProbes {
  const { db, databaseUrl: url, log, ended } = parts
  const answers = new ProbeAnswers({
    read: (ids) => readProbeAnswers(db, ids),
    onTrouble: (error) => log.warn({ err: error }, 'answers of probers cannot be read'),
    onRecovery: () => log.info({}, 'answers of probers are read again'),
  })
  const listener = new ChannelListener({
    log,
    subject: 'answers of probers',
    onPayload: answers.notify,
    listen: (...hearing) =>
      listen({ url, applicationName: 'healthmonitor probes', channel: PROBE_ANSWERS_CHANNEL }, ...hearing),
  })
  return {
    probes: { answers, allowance: new ProbeAllowance(), ended },
    start: () => listener.start(),
    close: async () => {
      await Promise.all([answers.close(), listener.close()])
    },
  }
}
