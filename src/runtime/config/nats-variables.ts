/** The variables of sites that reach the service over NATS JetStream. */
import Joi from 'joi'
import { LOCAL_SITE, NATS_URLS_MAX, RELAY_SITES_MAX, SITE_NAME_MAX } from '../../domain/limits.ts'
import { isSiteName } from '../../domain/site/site-name.ts'
import { parseAll, parsed, type Variable } from './variable.ts'

/** Servers of one cluster, in the order in which they are tried. */
function parseNatsUrls(text: string): string | undefined {
  const urls = text.split(/[\s,]+/).filter((item) => item !== '')
  const isServer = (item: string): boolean => {
    const url = URL.canParse(item) ? new URL(item) : undefined
    return url !== undefined && /^(nats|tls):$/.test(url.protocol) && url.hostname !== '' && url.search === ''
  }
  return urls.length > 0 && urls.length <= NATS_URLS_MAX && urls.every(isServer) ? urls.join(',') : undefined
}

function parseNatsSites(text: string): readonly string[] | undefined {
  const sites = parseAll((item) => (isSiteName(item) && item !== LOCAL_SITE ? item : undefined))(text)
  return sites !== undefined && sites.length <= RELAY_SITES_MAX ? [...new Set(sites)] : undefined
}

export const NATS_VARIABLES = {
  HM_NATS_URL: {
    schema: parsed(parseNatsUrls, `at most ${NATS_URLS_MAX} URLs nats:// or tls://`),
    secret: 'url password',
    values: 'list of nats://host:port, or tls://',
    meaning:
      'NATS server with JetStream, through which probers of other sites reach the service without a database. `healthmonitor prober` uses it without `DATABASE_URL`; `healthmonitor relay` needs both',
  },
  HM_NATS_SITES: {
    schema: parsed(
      parseNatsSites,
      `a list of at most ${RELAY_SITES_MAX} names of at most ${SITE_NAME_MAX} small letters, digits and hyphens, without local`,
    ),
    values: 'list of names',
    meaning: 'The sites that `healthmonitor relay` serves. `local` has the database',
  },
  HM_NATS_CREDS: {
    schema: Joi.string(),
    values: 'file',
    meaning: 'Credentials of the site for NATS: of its probers. Read anew for each connection',
  },
  HM_NATS_CREDS_DIR: {
    schema: Joi.string(),
    values: 'folder',
    meaning: 'Credentials of the relay for NATS: SITE.creds for each of its sites. Without it, none are used',
  },
  HM_SITE_DIR: {
    schema: Joi.string(),
    values: 'folder',
    meaning:
      'Holds results of this site while NATS is away, so that a restart of a prober loses nothing. One folder per host. Without it, they are in memory alone',
  },
  HM_NATS_CA: {
    schema: Joi.string(),
    values: 'file',
    meaning:
      'Certificates of the authorities that sign those of the NATS servers. Default: those that Node.js knows',
  },
  HM_NATS_DOMAIN: {
    schema: Joi.string().pattern(/^([A-Za-z0-9_-]{1,64}|-)$/, 'a name, or - for none'),
    default: 'hub',
    values: 'name, or -',
    meaning: "JetStream's domain of the hub, as its configuration says. -: it has none",
  },
} as const satisfies Record<string, Variable>
