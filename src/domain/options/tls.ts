/** Options of TLS: what of its use they set. */
import { parseAddress } from '../address/ip-address.ts'
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import type { TlsSettings } from '../target/probe-target.ts'
import type { MonitorType } from '../types.ts'
import { group, rowsOf } from './option.ts'

const { boolean, text, list } = rowsOf<TlsSettings>()

/** A file right inside HM_TLS_DIR: no slash, no dot at the start, no two in a row. */
const FILE_NAME = { max: 255, pattern: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/ } as const

const ALWAYS: readonly MonitorType[] = ['HTTPS', 'TLS-HELLO']
/** Of these a pool may say that TLS is spoken. */
const BY_POOL: readonly MonitorType[] = ['HTTP', 'TCP']

/** Whether probes use TLS. */
export function speaksTls({ type, pool }: Pick<Planning, 'type' | 'pool'>): boolean {
  return ALWAYS.includes(type) || (pool.tls !== undefined && BY_POOL.includes(type))
}

export const TLS = group({
  description: 'Types HTTPS and TLS-HELLO; ca, certificate and key are names of files in HM_TLS_DIR.',
  types: ALWAYS,
  isUsed: speaksTls,
  misfit: pairMisfit,
  keys: {
    server_name: text({
      max: 253,
      pattern: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
      misfit: (name) =>
        parseAddress(name) === undefined ? undefined : 'an address is no server name (RFC 6066)',
      sets: (serverName) => ({ serverName }),
    }),
    alpn: list({
      max: 8,
      // RFC 7301.
      item: { kind: 'text', max: 255, pattern: /^[!-~]+$/ },
      misfit: alpnMisfit,
      plan: alpnPlan,
      sets: (alpn) => ({ alpn }),
    }),
    // A CA is named to verify certificates with it: `ca` sets `verify` too.
    verify: boolean({
      plan: ({ target }) => ({ value: target.tls?.verify ?? false, from: 'default' }),
      sets: (verify) => ({ verify }),
    }),
    ca: text({
      ...FILE_NAME,
      misfit: fileMisfit,
      sets: (caFile) => ({ caFile }),
    }),
    certificate: text({
      ...FILE_NAME,
      misfit: fileMisfit,
      sets: (certificateFile) => ({ certificateFile }),
    }),
    key: text({ ...FILE_NAME, misfit: fileMisfit, sets: (keyFile) => ({ keyFile }) }),
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
