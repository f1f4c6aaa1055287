/**
 * Options of health monitors, both dialects: numbers that are used outside of the option's own row. The range of an
 * option is in its row (domain/options/).
 */
import type { Range } from './range.ts'
import { INTERVAL_FLOOR_MS } from './probing.ts'

/** Milliseconds between probes, whatever the state; the floor is the engine's for monitors with options. */
export const OPTION_INTERVAL_MS: Range = { min: INTERVAL_FLOOR_MS, max: 86_400_000 }
/** Probes on one kept connection before a new one is opened, by default. */
export const FRESH_EVERY_DEFAULT = 10
/** Characters of a header's value. */
export const OPTION_HEADER_VALUE_MAX = 2048
/** Ranges of statuses of one kind; a status is in [start, end). */
export const OPTION_STATUS_RANGES_MAX = 32
export const OPTION_STATUS_START: Range = { min: 100, max: 599 }
export const OPTION_STATUS_END: Range = { min: 101, max: 600 }
/** Characters of the body of a request. */
export const OPTION_BODY_MAX = 4096
/** Characters of a regular expression on bodies. */
export const OPTION_BODY_REGEX_MAX = 512
/**
 * Probes a second that the monitors of one project may have together (HM_PROBES_PER_SECOND_PER_PROJECT). -1 =
 * unlimited. The default allows 250 000 members every 5 seconds: it stops only mistakes. The operator decides what a
 * project may have.
 */
export const PROBES_PER_SECOND_PER_PROJECT: Range = { min: -1, max: 1_000_000 }
export const PROBES_PER_SECOND_PER_PROJECT_DEFAULT = 50_000
/**
 * Probes that the monitors of one project may have in flight, if no target answers: members x timeout / (timeout +
 * delay) (HM_IN_FLIGHT_PER_PROJECT). -1 = unlimited. A prober has as many as it has descriptors, and divides them by
 * project anyway: the default stops a mistake.
 */
export const IN_FLIGHT_PER_PROJECT: Range = { min: -1, max: 1_000_000 }
export const IN_FLIGHT_PER_PROJECT_DEFAULT = 50_000
/** Probes of a member that a plan foretells. */
export const PLANNED_PROBES = 5
/** Bytes of all options of one monitor as JSON: they are read with every change of the pool. */
export const OPTIONS_MAX_BYTES = 16 * 1024
/** Days before the end of a certificate from which on there is a warning (`tls.expiry_warning_days`); 0 = never. */
export const EXPIRY_WARNING_DAYS: Range = { min: 0, max: 3650 }
export const EXPIRY_WARNING_DAYS_DEFAULT = 14
