/** Numbers of Kuma's objects. Sources: docs/peers/kuma.md; where none is given, the bound is ours. */
import type { Range } from '../limits/range.ts'

/** Views of one service that differ from its default one and are probed; more are shown, and not probed. */
export const VIEWS_OF_SERVICE_MAX = 8
/** Objects of one mesh, and the bytes of all of them as JSON: a write reads all of them. */
export const RESOURCES_OF_MESH_MAX = 5000
export const MESH_MAX_BYTES = 16 * 1024 * 1024
/**
 * Comparisons of a policy with a service or a consumer, and of a port of a MeshService with an inbound, that one write may
 * need: about a quarter of a second. 2 000 proxies with 200 policies in 100 services need less than a tenth of it.
 */
export const COMPARISONS_MAX = 5_000_000
/** A merge of the conf of one policy into that of a destination counts as so many comparisons. */
export const COMPARISONS_OF_MERGE = 10
/** Merges between two turns of others: less than a millisecond. */
export const MERGES_OF_STEP = 256
/** The same of proxies that are looked at, and of members of a pool that are made. */
export const PROXIES_OF_STEP = 32
export const MEMBERS_OF_STEP = 128
/**
 * Members of all pools of one mesh: on a busy host of two cores the first write that has so many probed took 5.5 s, half of the time
 * that a transaction may take. 2 000 proxies with one inbound each, in each of the ways in which a service is probed, are 18 000.
 */
export const MEMBERS_OF_MESH_MAX = 20_000
/** Bytes of the rules of one proxy as JSON: each rule repeats its policies with their labels. */
export const RULES_MAX_BYTES = 8 * 1024 * 1024
export const MESHES_OF_PROJECT_MAX = 100
/** Objects of one request that applies several. */
export const APPLIED_MAX = 1000
/** Characters of a name, as of a DNS name (RFC 1123). */
export const NAME_MAX = 253
/** Tags or labels of one object or selector; characters of a key and of a value. */
export const TAGS_MAX = 64
export const TAG_KEY_MAX = 255
export const TAG_VALUE_MAX = 255
/** Inbounds and outbounds of one proxy. */
export const INBOUNDS_MAX = 64
export const OUTBOUNDS_MAX = 256
/** Characters of the name of a port or an inbound (RFC 1123, a label), and of a protocol. */
export const PORT_NAME_MAX = 63
/** Selectors of a HealthCheck on one side, entries of `to`, ports of a MeshService. */
export const SELECTORS_MAX = 64
export const TO_MAX = 64
export const PORTS_MAX = 64
/** Expected statuses, and blocks of a TCP answer: as many as our options take. */
export const STATUSES_MAX = 500
export const RECEIVE_MAX = 16
/** Characters of all headers of one list, and of all blocks of an answer: with the rest they fit into our options. */
export const SENT_MAX = 6000
/** Objects on a page: docs/peers/kuma.md 3. */
export const PAGE_SIZE_DEFAULT = 100
export const PAGE_SIZE_MAX = 1000
/** Headers of one list: docs/peers/kuma.md 14. */
export const HEADERS_OF_LIST_MAX = 16
export const PORT: Range = { min: 1, max: 65_535 }
/** Statuses: `[100, 600)`. */
export const STATUS: Range = { min: 100, max: 599 }
/** Results in a row that our options take; Kuma's are 32 bits. */
export const THRESHOLD: Range = { min: 1, max: 1000 }
