/** Options of TLS: what of its use they set. */
import { parseAddress } from '../address/ip-address.ts'
import { EXPIRY_WARNING_DAYS, EXPIRY_WARNING_DAYS_DEFAULT } from '../limits.ts'
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import type { TlsSettings } from '../target/probe-target.ts'
import type { MonitorType } from '../types.ts'
import { group, rowsOf } from './option.ts'

const { boolean, integer, text, list } = rowsOf<TlsSettings>()

/** A file right inside HM_TLS_DIR: no slash, no dot at the start, no two in a row. */
const FILE_NAME = { max: 255, pattern: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/ } as const

const ALWAYS: readonly MonitorType[] = ['HTTPS', 'TLS-HELLO']
/** Of these a pool may say that TLS is spoken: most options are for the types that always speak it. */
const BY_POOL: readonly MonitorType[] = ['HTTP', 'TCP']

/** Whether probes use TLS. */
export function speaksTls({ type, pool }: Pick<Planning, 'type' | 'pool'>): boolean {
  return ALWAYS.includes(type) || (pool.tls !== undefined && BY_POOL.includes(type))
}

export const TLS = group({
  description:
    'Types HTTPS and TLS-HELLO; expiry_warning_days and resume also where the pool speaks TLS. ca, certificate and key are names of files in HM_TLS_DIR.',
  types: [...BY_POOL, ...ALWAYS],
  isUsed: speaksTls,
  misfit: pairMisfit,
  keys: {
    server_name: text({
      types: ALWAYS,
      max: 253,
      pattern: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
      misfit: (name) =>
        parseAddress(name) === undefined ? undefined : 'an address is no server name (RFC 6066)',
      sets: (serverName) => ({ serverName }),
    }),
    alpn: list({
      types: ALWAYS,
      max: 8,
      // RFC 7301.
      item: { kind: 'text', max: 255, pattern: /^[!-~]+$/ },
      misfit: alpnMisfit,
      plan: alpnPlan,
      sets: (alpn) => ({ alpn }),
    }),
    // A CA is named to verify certificates with it: `ca` sets `verify` too.
    verify: boolean({
      types: ALWAYS,
      plan: ({ target }) => ({ value: target.tls?.verify ?? false, from: 'default' }),
      sets: (verify) => ({ verify }),
    }),
    // docs/peers/probing.md 43 and 44.
    resume: boolean({
      types: ['HTTP', 'TCP', 'HTTPS'],
      description:
        'Whether a probe may resume the TLS session of the probe before, which saves both sides a part of the handshake. It never does where the certificate is verified or connections are reused, nor after a probe that did not pass. Every tenth probe makes a whole handshake, and the first one of each minute: what only a whole handshake shows is seen that late. false: each probe makes one.',
      otherwise: true,
      sets: (resume) => ({ resume }),
    }),
    ca: text({
      types: ALWAYS,
      ...FILE_NAME,
      misfit: fileMisfit,
      sets: (caFile) => ({ caFile }),
    }),
    certificate: text({
      types: ALWAYS,
      ...FILE_NAME,
      misfit: fileMisfit,
      sets: (certificateFile) => ({ certificateFile }),
    }),
    key: text({ types: ALWAYS, ...FILE_NAME, misfit: fileMisfit, sets: (keyFile) => ({ keyFile }) }),
    // Sets nothing of a target: another warning is no other question, and resets no counter.
    expiry_warning_days: integer({
      types: [...BY_POOL, ...ALWAYS],
      range: EXPIRY_WARNING_DAYS,
      unit: 'days',
      description:
        'Before the end of the certificate that a member shows; then health says `expiring` and an event says so once, and again when it has expired. 0: never. The status of the member does not change.',
      otherwise: EXPIRY_WARNING_DAYS_DEFAULT,
    }),
  },
})

function pairMisfit({ options: { tls } }: Fitting): string | undefined {
  const isPair = (tls?.certificate === undefined) === (tls?.key === undefined)
  return isPair ? undefined : 'certificate and key are set together'
}

function alpnMisfit(names: readonly string[], { options: { http, grpc } }: Fitting): string | undefined {
  return (http?.version === 'h2' || grpc !== undefined) && !names.includes('h2')
    ? 'it does not fit HTTP/2, which is spoken only where both sides agree on h2'
    : undefined
}

function fileMisfit(name: string, { surroundings: { hasTlsFile } }: Fitting): string | undefined {
  if (hasTlsFile === undefined) return 'HM_TLS_DIR is not set'
  return hasTlsFile(name) ? undefined : `HM_TLS_DIR has no file ${name}`
}

/** The offered names, and their source: HTTP/2 is negotiated by them. */
function alpnPlan({ target, pool }: Planning): EffectiveOption {
  const isHttp2 = target.grpc !== undefined || target.http?.version === '2'
  const offered = target.tls?.alpn
  return {
    value: offered ?? (isHttp2 ? ['h2'] : undefined),
    from: !isHttp2 && offered !== undefined && pool.tls?.alpn !== undefined ? 'pool' : 'default',
  }
}
